-- The audit log: the same entries, with the same hashes, as registry/audit.py and chain.py make.

CREATE OR REPLACE FUNCTION dpor.digest(text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT encode(sha256(convert_to(E'dpor-audit-v1\n' || $1, 'UTF8')), 'hex')
$$;

CREATE OR REPLACE FUNCTION dpor.canonical(fields jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT '{' || string_agg(to_json(field.key)::text || ':' || field.value::text, ','
                           ORDER BY field.key COLLATE "C") || '}'
  FROM jsonb_each(fields) AS field
  WHERE field.value <> 'null'
$$;

CREATE OR REPLACE FUNCTION dpor.record(action text, fields jsonb, provenance text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  last dpor.audit_log;
  entry jsonb;
BEGIN
  SELECT * INTO last FROM dpor.audit_log ORDER BY sequence DESC LIMIT 1;
  entry := fields || jsonb_build_object(
    'sequence', coalesce(last.sequence, 0) + 1,
    'at', to_char(coalesce((fields ->> 'at')::timestamptz, clock_timestamp()) AT TIME ZONE 'UTC',
                  'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'actor', session_user,
    'action', action,
    'provenance', provenance,
    'previous_hash', coalesce(last.hash, (SELECT dpor.digest(id) FROM dpor.registry))
  );
  entry := entry || jsonb_build_object('hash', dpor.digest(dpor.canonical(entry)));
  INSERT INTO dpor.audit_log SELECT * FROM jsonb_populate_record(NULL::dpor.audit_log, entry);
END
$$;
