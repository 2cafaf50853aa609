-- The directory of partners; only a Global Administrator changes it.

CREATE OR REPLACE FUNCTION dpor.current_partner_id(partner_id text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT id FROM dpor.partners WHERE id = partner_id),
    (SELECT id FROM dpor.partners WHERE former_ids::jsonb ? partner_id LIMIT 1),
    partner_id)
$$;

CREATE OR REPLACE FUNCTION dpor.partner_of_any(partner_id text) RETURNS dpor.partners
LANGUAGE sql STABLE AS $$
  SELECT * FROM dpor.partners WHERE id = dpor.current_partner_id(partner_id)
$$;

CREATE OR REPLACE FUNCTION dpor.known_partner(partner_id text) RETURNS dpor.partners
LANGUAGE plpgsql AS $$
DECLARE
  partner dpor.partners;
BEGIN
  SELECT * INTO partner FROM dpor.partners WHERE id = known_partner.partner_id;
  IF NOT FOUND THEN
    PERFORM dpor.invalid(format(
      'no partner %s in the directory; see: dpor registry partner list', partner_id));
  END IF;
  RETURN partner;
END
$$;

CREATE OR REPLACE FUNCTION dpor.require_free(partner_id text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  other dpor.partners := dpor.partner_of_any(partner_id);
BEGIN
  IF NOT dpor.well_formed(partner_id) THEN
    PERFORM dpor.invalid(coalesce(to_json(partner_id)::text, 'null') || ' is no Partner ID');
  END IF;
  IF other.id IS NOT NULL THEN
    PERFORM dpor.invalid(format('Partner ID %s is %s''s already', partner_id, other.name));
  END IF;
END
$$;

-- What every reader can take in.
CREATE OR REPLACE FUNCTION dpor.require_readable(partner dpor.partners) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  lists jsonb := jsonb_build_object(
    'former_ids', partner.former_ids, 'former_names', partner.former_names,
    'principals', partner.principals, 'tenants', partner.tenants);
BEGIN
  IF lists @? 'strict $.* ? (@.type() != "array")'
     OR lists @? 'strict $.*[*] ? (@.type() != "string")' THEN
    PERFORM dpor.invalid('former_ids, former_names, principals and tenants are lists of texts');
  END IF;
  IF coalesce(partner.status NOT IN ('active', 'retired'), true) THEN
    PERFORM dpor.invalid(coalesce(to_json(partner.status)::text, 'null')
      || ' is neither active nor retired');
  END IF;
  IF partner.agreement = '' OR partner.agreement IS NULL AND partner.agreement_expires IS NOT NULL
  THEN
    PERFORM dpor.invalid('an agreement needs a reference');
  END IF;
  IF NOT coalesce(partner.agreement_expires BETWEEN '0001-01-01' AND '9999-12-31', true) THEN
    PERFORM dpor.invalid('an agreement ends on a day of the years 1 to 9999');
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION dpor.put_partner(
  action text, partner dpor.partners, provenance text
) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM dpor.require_readable(partner);
  DELETE FROM dpor.partners AS row WHERE row.id = partner.id;
  INSERT INTO dpor.partners VALUES (partner.*);
  PERFORM dpor.record(action, jsonb_build_object(
    'partner_id', partner.id, 'detail', to_jsonb(partner)::text), provenance);
  RETURN to_jsonb(partner);
END
$$;

CREATE OR REPLACE FUNCTION dpor.require_own_principals(partner dpor.partners) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  one text;
  other dpor.partners;
BEGIN
  SELECT shared.principal INTO one FROM (
    SELECT json_array_elements_text(partner.principals) AS principal
    INTERSECT
    SELECT json_array_elements_text(row.principals) FROM dpor.partners AS row
    WHERE row.id <> partner.id
  ) AS shared ORDER BY 1 LIMIT 1;
  IF FOUND THEN
    SELECT * INTO other FROM dpor.partners AS row
    WHERE row.principals::jsonb ? one AND row.id <> partner.id LIMIT 1;
    PERFORM dpor.invalid(format('principal %s is %s''s already', one, other.name));
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION dpor.add_partner(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  partner dpor.partners := jsonb_populate_record(NULL::dpor.partners, arguments);
  one text;
  ids text[];
BEGIN
  PERFORM dpor.require_readable(partner);
  ids := ARRAY(SELECT partner.id UNION ALL SELECT json_array_elements_text(partner.former_ids));
  FOREACH one IN ARRAY ids
  LOOP
    PERFORM dpor.require_free(one);
    IF cardinality(array_positions(ids, one)) > 1 THEN
      PERFORM dpor.invalid(format('Partner ID %s is named twice for %s', one, partner.name));
    END IF;
  END LOOP;
  PERFORM dpor.require_own_principals(partner);
  RETURN dpor.put_partner('partner-add', partner, provenance);
END
$$;

CREATE OR REPLACE FUNCTION dpor.rename_partner(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  partner dpor.partners := dpor.known_partner(arguments ->> 'partner_id');
  name text := arguments ->> 'name';
BEGIN
  IF partner.name = name THEN
    PERFORM dpor.invalid(format('partner %s is called %s already', partner.id, name));
  END IF;
  partner.former_names := (partner.former_names::jsonb - name) || to_jsonb(partner.name);
  partner.name := name;
  RETURN dpor.put_partner('partner-rename', partner, provenance);
END
$$;

CREATE OR REPLACE FUNCTION dpor.retire_partner(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  partner dpor.partners := dpor.known_partner(arguments ->> 'partner_id');
  successor dpor.partners;
BEGIN
  IF partner.status = 'retired' THEN
    PERFORM dpor.invalid(format('partner %s is retired already', partner.id));
  END IF;
  IF arguments ->> 'replaced_by' IS NOT NULL THEN
    successor := dpor.known_partner(arguments ->> 'replaced_by');
    IF successor.id = partner.id OR successor.status = 'retired' THEN
      PERFORM dpor.invalid(format('partner %s cannot succeed %s', successor.id, partner.id));
    END IF;
  END IF;
  partner.status := 'retired';
  partner.replaced_by := successor.id;
  RETURN dpor.put_partner('partner-retire', partner, provenance);
END
$$;

CREATE OR REPLACE FUNCTION dpor.renumber_partner(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  partner dpor.partners := dpor.known_partner(arguments ->> 'partner_id');
  old_id text := partner.id;
BEGIN
  PERFORM dpor.require_free(arguments ->> 'new_id');
  partner.id := arguments ->> 'new_id';
  partner.former_ids := partner.former_ids::jsonb || to_jsonb(old_id);
  DELETE FROM dpor.partners AS row WHERE row.id = old_id;
  UPDATE dpor.partners AS row SET replaced_by = partner.id WHERE row.replaced_by = old_id;
  RETURN dpor.put_partner('partner-renumber', partner, provenance);
END
$$;

CREATE OR REPLACE FUNCTION dpor.agree_with_partner(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  partner dpor.partners := dpor.known_partner(arguments ->> 'partner_id');
BEGIN
  partner.agreement := arguments ->> 'agreement';
  partner.agreement_expires := (arguments ->> 'agreement_expires')::date;
  RETURN dpor.put_partner('partner-agreement', partner, provenance);
END
$$;

-- What is there, then what is added, each once, without what is taken away.
CREATE OR REPLACE FUNCTION dpor.changed(before json, added jsonb, without jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_agg(one ORDER BY first), '[]')
  FROM (
    SELECT one, min(place) AS first
    FROM jsonb_array_elements_text(before::jsonb || coalesce(added, '[]'))
      WITH ORDINALITY AS listed (one, place)
    WHERE NOT coalesce(without, '[]') ? one
    GROUP BY one
  ) AS kept
$$;

CREATE OR REPLACE FUNCTION dpor.know_partner_by(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  partner dpor.partners := dpor.known_partner(arguments ->> 'partner_id');
  strange text;
BEGIN
  SELECT one INTO strange FROM jsonb_array_elements_text(arguments -> 'without') AS one
  WHERE NOT (partner.principals::jsonb || partner.tenants::jsonb) ? one
  ORDER BY one LIMIT 1;
  IF FOUND THEN
    PERFORM dpor.invalid(format('%s is not known of partner %s', strange, partner.id));
  END IF;
  partner.principals :=
    dpor.changed(partner.principals, arguments -> 'principals', arguments -> 'without');
  partner.tenants := dpor.changed(partner.tenants, arguments -> 'tenants', arguments -> 'without');
  PERFORM dpor.require_own_principals(partner);
  RETURN dpor.put_partner('partner-principals', partner, provenance);
END
$$;
