-- Scopes under which nothing changes without an OIDC token that counts. The client verified the
-- token, which a server cannot: this holds what it says to what is demanded, and keeps a token for
-- the login that used it first.

CREATE OR REPLACE FUNCTION dpor.demand_over(subscription_id text) RETURNS dpor.demands
LANGUAGE sql STABLE AS $$
  SELECT * FROM dpor.demands
  WHERE scope IN ('/', '/subscriptions/' || subscription_id)
  ORDER BY length(scope) DESC LIMIT 1
$$;

CREATE OR REPLACE FUNCTION dpor.meets(shown jsonb, demand dpor.demands) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    shown -> 'verified' = 'true'
    AND shown ->> 'token_id' IS NOT NULL
    AND (shown ->> 'token_expires_at')::timestamptz > clock_timestamp()
    AND NOT EXISTS (
      SELECT FROM jsonb_each_text(to_jsonb(demand) - 'scope' - 'audience') AS wanted
      WHERE wanted.value IS NOT NULL AND wanted.value IS DISTINCT FROM shown ->> wanted.key
    ), false)
$$;

CREATE OR REPLACE FUNCTION dpor.take_token(shown jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  used_by text;
BEGIN
  DELETE FROM dpor.token_uses WHERE expires_at < clock_timestamp();
  INSERT INTO dpor.token_uses VALUES (
    shown ->> 'issuer', shown ->> 'token_id', session_user,
    (shown ->> 'token_expires_at')::timestamptz)
  ON CONFLICT DO NOTHING;
  SELECT principal INTO used_by FROM dpor.token_uses
  WHERE issuer = shown ->> 'issuer' AND token_id = shown ->> 'token_id';
  IF used_by <> session_user THEN
    PERFORM dpor.refuse(format(
      'the OIDC token was used by %s before; take a token of your own', used_by));
  END IF;
END
$$;

-- What is lacking is said by a client that has no token that counts, for the log.
CREATE OR REPLACE FUNCTION dpor.require_demanded(
  subscription_id text, attempt text, shown jsonb, lacking text
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  demand dpor.demands := dpor.demand_over(subscription_id);
BEGIN
  IF demand.scope IS NULL THEN
    RETURN;
  END IF;
  IF dpor.meets(shown, demand) THEN
    PERFORM dpor.take_token(shown);
  ELSIF lacking IS NOT NULL THEN
    PERFORM dpor.refuse(format('%s may not %s: %s', session_user, attempt, lacking));
  ELSE
    RAISE EXCEPTION USING MESSAGE = to_jsonb(demand)::text, ERRCODE = 'DPDEM';
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION dpor.add_demand(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  wanted dpor.demands := jsonb_populate_record(NULL::dpor.demands, arguments);
BEGIN
  PERFORM dpor.require_scope(wanted.scope);
  IF coalesce(wanted.issuer, '') = '' OR coalesce(wanted.audience, '') = ''
     OR coalesce(wanted.repository_id, wanted.owner_id, wanted.repository, '') = '' THEN
    PERFORM dpor.invalid('a demand names an issuer, an audience, and whose repository');
  END IF;
  INSERT INTO dpor.demands VALUES (wanted.*) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    PERFORM dpor.invalid(format(
      'there is a demand at %s already; remove it first with: dpor registry demand remove %s',
      wanted.scope, wanted.scope));
  END IF;
  PERFORM dpor.record(
    'demand', jsonb_build_object('detail', dpor.canonical(to_jsonb(wanted))), provenance);
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION dpor.remove_demand(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  removed dpor.demands;
BEGIN
  DELETE FROM dpor.demands WHERE scope = arguments ->> 'scope' RETURNING * INTO removed;
  IF NOT FOUND THEN
    PERFORM dpor.invalid(format(
      'nothing is demanded at %s; see: dpor registry demand list', arguments ->> 'scope'));
  END IF;
  PERFORM dpor.record(
    'undemand', jsonb_build_object('detail', dpor.canonical(to_jsonb(removed))), provenance);
  RETURN to_jsonb(removed);
END
$$;
