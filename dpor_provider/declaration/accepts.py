"""Whether the schema accepts a document: its JSON Schema, compiled by `make docs`.

Importing jsonschema takes longer than all the rest of a check of one file. It is asked only for
what is wrong with a document that this refuses.
"""

import re


class Refused(Exception):
    """The document does not follow the schema."""


REGEX_PATTERNS = {'\\S': re.compile('\\S')}

def validate(data: object) -> None:
    if not isinstance(data, dict):
        raise Refused
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data__missing_keys = set(['version']) - data.keys()
        if data__missing_keys:
            raise Refused
        data_keys = set(data.keys())
        if 'version' in data_keys:
            data_keys.remove('version')
            data__version = data['version']
            if not (isinstance(data__version, (int, float)) and (not isinstance(data__version, bool)) and (data__version == 1)):
                raise Refused
        if 'directory' in data_keys:
            data_keys.remove('directory')
            data__directory = data['directory']
            validate___definitions_text(data__directory)
        if 'partners' in data_keys:
            data_keys.remove('partners')
            data__partners = data['partners']
            if not isinstance(data__partners, dict):
                raise Refused
            data__partners_is_dict = isinstance(data__partners, dict)
            if data__partners_is_dict:
                data__partners_keys = set(data__partners.keys())
                for data__partners_key in data__partners_keys:
                    if data__partners_key not in []:
                        data__partners_value = data__partners.get(data__partners_key)
                        validate___definitions_partner(data__partners_value)
                data__partners_len = len(data__partners)
                if data__partners_len != 0:
                    data__partners_property_names = True
                    for data__partners_key in data__partners:
                        try:
                            try:
                                if not (isinstance(data__partners_key, str) and data__partners_key == 'none' or (isinstance(data__partners_key, str) and data__partners_key == 'undecided')):
                                    raise Refused
                            except Refused:
                                pass
                            else:
                                raise Refused
                            if isinstance(data__partners_key, str):
                                if not REGEX_PATTERNS['\\S'].search(data__partners_key):
                                    raise Refused
                        except Refused:
                            data__partners_property_names = False
                    if not data__partners_property_names:
                        raise Refused
        if 'defaults' in data_keys:
            data_keys.remove('defaults')
            data__defaults = data['defaults']
            validate___definitions_defaults(data__defaults)
        if 'groups' in data_keys:
            data_keys.remove('groups')
            data__groups = data['groups']
            if not isinstance(data__groups, (list, tuple)):
                raise Refused
            data__groups_is_list = isinstance(data__groups, (list, tuple))
            if data__groups_is_list:
                data__groups_len = len(data__groups)
                for data__groups_x, data__groups_item in enumerate(data__groups):
                    validate___definitions_group(data__groups_item)
        if 'subscriptions' in data_keys:
            data_keys.remove('subscriptions')
            data__subscriptions = data['subscriptions']
            if not isinstance(data__subscriptions, (list, tuple)):
                raise Refused
            data__subscriptions_is_list = isinstance(data__subscriptions, (list, tuple))
            if data__subscriptions_is_list:
                data__subscriptions_len = len(data__subscriptions)
                for data__subscriptions_x, data__subscriptions_item in enumerate(data__subscriptions):
                    validate___definitions_subscription(data__subscriptions_item)
        if data_keys:
            raise Refused
    return data

def validate___definitions_subscription(data: object) -> None:
    if not isinstance(data, dict):
        raise Refused
    validate___definitions_reasoned(data)
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data__missing_keys = set(['id']) - data.keys()
        if data__missing_keys:
            raise Refused
        data_keys = set(data.keys())
        if 'id' in data_keys:
            data_keys.remove('id')
            data__id = data['id']
            if not isinstance(data__id, str):
                raise Refused
        if 'name' in data_keys:
            data_keys.remove('name')
            data__name = data['name']
            validate___definitions_text(data__name)
        if 'partner' in data_keys:
            data_keys.remove('partner')
            data__partner = data['partner']
            validate___definitions_choice(data__partner)
        if 'reason' in data_keys:
            data_keys.remove('reason')
            data__reason = data['reason']
            validate___definitions_reason(data__reason)
        if 'replaces' in data_keys:
            data_keys.remove('replaces')
            data__replaces = data['replaces']
            validate___definitions_replaces(data__replaces)
        if 'moved_from' in data_keys:
            data_keys.remove('moved_from')
            data__movedfrom = data['moved_from']
            validate___definitions_moved_from(data__movedfrom)
        if 'former_access' in data_keys:
            data_keys.remove('former_access')
            data__formeraccess = data['former_access']
            validate___definitions_former_access(data__formeraccess)
        if 'also' in data_keys:
            data_keys.remove('also')
            data__also = data['also']
            validate___definitions_also(data__also)
        if 'on_delete' in data_keys:
            data_keys.remove('on_delete')
            data__ondelete = data['on_delete']
            validate___definitions_on_delete(data__ondelete)
        if 'exceptions' in data_keys:
            data_keys.remove('exceptions')
            data__exceptions = data['exceptions']
            validate___definitions_exceptions(data__exceptions)
        if data_keys:
            raise Refused
    return data

def validate___definitions_exceptions(data: object) -> None:
    if not isinstance(data, (list, tuple)):
        raise Refused
    data_is_list = isinstance(data, (list, tuple))
    if data_is_list:
        data_len = len(data)
        for data_x, data_item in enumerate(data):
            validate___definitions_exception(data_item)
    return data

def validate___definitions_exception(data: object) -> None:
    if not isinstance(data, dict):
        raise Refused
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data__missing_keys = set(['rule', 'reason', 'expires']) - data.keys()
        if data__missing_keys:
            raise Refused
        data_keys = set(data.keys())
        if 'rule' in data_keys:
            data_keys.remove('rule')
            data__rule = data['rule']
            validate___definitions_text(data__rule)
        if 'reason' in data_keys:
            data_keys.remove('reason')
            data__reason = data['reason']
            validate___definitions_text(data__reason)
        if 'expires' in data_keys:
            data_keys.remove('expires')
            data__expires = data['expires']
            validate___definitions_date(data__expires)
        if data_keys:
            raise Refused
    return data

def validate___definitions_date(data: object) -> None:
    if not isinstance(data, str):
        raise Refused
    return data

def validate___definitions_on_delete(data: object) -> None:
    if not (isinstance(data, str) and data == 'withdraw' or (isinstance(data, str) and data == 'retain')):
        raise Refused
    return data

def validate___definitions_also(data: object) -> None:
    if not isinstance(data, (list, tuple)):
        raise Refused
    data_is_list = isinstance(data, (list, tuple))
    if data_is_list:
        data_len = len(data)
        for data_x, data_item in enumerate(data):
            validate___definitions_partner_key(data_item)
    return data

def validate___definitions_partner_key(data: object) -> None:
    if not isinstance(data, str):
        raise Refused
    if isinstance(data, str):
        if not REGEX_PATTERNS['\\S'].search(data):
            raise Refused
    return data

def validate___definitions_former_access(data: object) -> None:
    try:
        if not isinstance(data, str):
            raise Refused
    except Refused:
        validate___definitions_handover(data)
    else:
        if not (isinstance(data, str) and data == 'revoke' or (isinstance(data, str) and data == 'keep')):
            raise Refused
    return data

def validate___definitions_handover(data: object) -> None:
    if not isinstance(data, dict):
        raise Refused
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data__missing_keys = set(['keep_until', 'reason']) - data.keys()
        if data__missing_keys:
            raise Refused
        data_keys = set(data.keys())
        if 'keep_until' in data_keys:
            data_keys.remove('keep_until')
            data__keepuntil = data['keep_until']
            validate___definitions_date(data__keepuntil)
        if 'reason' in data_keys:
            data_keys.remove('reason')
            data__reason = data['reason']
            validate___definitions_text(data__reason)
        if data_keys:
            raise Refused
    return data

def validate___definitions_moved_from(data: object) -> None:
    validate___definitions_text(data)
    return data

def validate___definitions_replaces(data: object) -> None:
    validate___definitions_partner_reference(data)
    return data

def validate___definitions_partner_reference(data: object) -> None:
    if not isinstance(data, (str, int)) and (not (isinstance(data, float) and data.is_integer())) or isinstance(data, bool):
        raise Refused
    return data

def validate___definitions_reason(data: object) -> None:
    validate___definitions_text(data)
    return data

def validate___definitions_choice(data: object) -> None:
    validate___definitions_partner_key(data)
    return data

def validate___definitions_reasoned(data: object) -> None:
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        if 'reason' in data:
            if 'partner' not in data:
                raise Refused
    try:
        data_is_dict = isinstance(data, dict)
        if data_is_dict:
            data__missing_keys = set(['partner']) - data.keys()
            if data__missing_keys:
                raise Refused
            data_keys = set(data.keys())
            if 'partner' in data_keys:
                data_keys.remove('partner')
                data__partner = data['partner']
                if not (isinstance(data__partner, str) and data__partner == 'none'):
                    raise Refused
    except Refused:
        pass
    else:
        data_is_dict = isinstance(data, dict)
        if data_is_dict:
            data__missing_keys = set(['reason']) - data.keys()
            if data__missing_keys:
                raise Refused
    return data

def validate___definitions_group(data: object) -> None:
    if not isinstance(data, dict):
        raise Refused
    validate___definitions_reasoned(data)
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data__missing_keys = set(['name', 'subscriptions']) - data.keys()
        if data__missing_keys:
            raise Refused
        data_keys = set(data.keys())
        if 'name' in data_keys:
            data_keys.remove('name')
            data__name = data['name']
            validate___definitions_text(data__name)
        if 'partner' in data_keys:
            data_keys.remove('partner')
            data__partner = data['partner']
            validate___definitions_choice(data__partner)
        if 'reason' in data_keys:
            data_keys.remove('reason')
            data__reason = data['reason']
            validate___definitions_reason(data__reason)
        if 'replaces' in data_keys:
            data_keys.remove('replaces')
            data__replaces = data['replaces']
            validate___definitions_replaces(data__replaces)
        if 'moved_from' in data_keys:
            data_keys.remove('moved_from')
            data__movedfrom = data['moved_from']
            validate___definitions_moved_from(data__movedfrom)
        if 'former_access' in data_keys:
            data_keys.remove('former_access')
            data__formeraccess = data['former_access']
            validate___definitions_former_access(data__formeraccess)
        if 'also' in data_keys:
            data_keys.remove('also')
            data__also = data['also']
            validate___definitions_also(data__also)
        if 'on_delete' in data_keys:
            data_keys.remove('on_delete')
            data__ondelete = data['on_delete']
            validate___definitions_on_delete(data__ondelete)
        if 'exceptions' in data_keys:
            data_keys.remove('exceptions')
            data__exceptions = data['exceptions']
            validate___definitions_exceptions(data__exceptions)
        if 'subscriptions' in data_keys:
            data_keys.remove('subscriptions')
            data__subscriptions = data['subscriptions']
            if not isinstance(data__subscriptions, (list, tuple)):
                raise Refused
            data__subscriptions_is_list = isinstance(data__subscriptions, (list, tuple))
            if data__subscriptions_is_list:
                data__subscriptions_len = len(data__subscriptions)
                for data__subscriptions_x, data__subscriptions_item in enumerate(data__subscriptions):
                    validate___definitions_subscription(data__subscriptions_item)
        if data_keys:
            raise Refused
    return data

def validate___definitions_defaults(data: object) -> None:
    if not isinstance(data, dict):
        raise Refused
    validate___definitions_reasoned(data)
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data_keys = set(data.keys())
        if 'partner' in data_keys:
            data_keys.remove('partner')
            data__partner = data['partner']
            validate___definitions_choice(data__partner)
        if 'reason' in data_keys:
            data_keys.remove('reason')
            data__reason = data['reason']
            validate___definitions_reason(data__reason)
        if 'replaces' in data_keys:
            data_keys.remove('replaces')
            data__replaces = data['replaces']
            validate___definitions_replaces(data__replaces)
        if 'moved_from' in data_keys:
            data_keys.remove('moved_from')
            data__movedfrom = data['moved_from']
            validate___definitions_moved_from(data__movedfrom)
        if 'former_access' in data_keys:
            data_keys.remove('former_access')
            data__formeraccess = data['former_access']
            validate___definitions_former_access(data__formeraccess)
        if 'also' in data_keys:
            data_keys.remove('also')
            data__also = data['also']
            validate___definitions_also(data__also)
        if 'on_delete' in data_keys:
            data_keys.remove('on_delete')
            data__ondelete = data['on_delete']
            validate___definitions_on_delete(data__ondelete)
        if data_keys:
            raise Refused
    return data

def validate___definitions_partner(data: object) -> None:
    if not isinstance(data, dict):
        raise Refused
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data__missing_keys = set(['id', 'name']) - data.keys()
        if data__missing_keys:
            raise Refused
        if 'replaced_by' in data:
            data_is_dict = isinstance(data, dict)
            if data_is_dict:
                data__missing_keys = set(['status']) - data.keys()
                if data__missing_keys:
                    raise Refused
                data_keys = set(data.keys())
                if 'status' in data_keys:
                    data_keys.remove('status')
                    data__status = data['status']
                    if not (isinstance(data__status, str) and data__status == 'retired'):
                        raise Refused
        data_keys = set(data.keys())
        if 'id' in data_keys:
            data_keys.remove('id')
            data__id = data['id']
            validate___definitions_partner_id(data__id)
        if 'name' in data_keys:
            data_keys.remove('name')
            data__name = data['name']
            validate___definitions_text(data__name)
        if 'former_ids' in data_keys:
            data_keys.remove('former_ids')
            data__formerids = data['former_ids']
            if not isinstance(data__formerids, (list, tuple)):
                raise Refused
            data__formerids_is_list = isinstance(data__formerids, (list, tuple))
            if data__formerids_is_list:
                data__formerids_len = len(data__formerids)
                for data__formerids_x, data__formerids_item in enumerate(data__formerids):
                    validate___definitions_partner_id(data__formerids_item)
        if 'former_names' in data_keys:
            data_keys.remove('former_names')
            data__formernames = data['former_names']
            if not isinstance(data__formernames, (list, tuple)):
                raise Refused
            data__formernames_is_list = isinstance(data__formernames, (list, tuple))
            if data__formernames_is_list:
                data__formernames_len = len(data__formernames)
                for data__formernames_x, data__formernames_item in enumerate(data__formernames):
                    validate___definitions_text(data__formernames_item)
        if 'status' in data_keys:
            data_keys.remove('status')
            data__status = data['status']
            if not (isinstance(data__status, str) and data__status == 'active' or (isinstance(data__status, str) and data__status == 'retired')):
                raise Refused
        if 'replaced_by' in data_keys:
            data_keys.remove('replaced_by')
            data__replacedby = data['replaced_by']
            validate___definitions_partner_key(data__replacedby)
        if 'principals' in data_keys:
            data_keys.remove('principals')
            data__principals = data['principals']
            if not isinstance(data__principals, (list, tuple)):
                raise Refused
            data__principals_is_list = isinstance(data__principals, (list, tuple))
            if data__principals_is_list:
                data__principals_len = len(data__principals)
                for data__principals_x, data__principals_item in enumerate(data__principals):
                    validate___definitions_text(data__principals_item)
        if 'tenants' in data_keys:
            data_keys.remove('tenants')
            data__tenants = data['tenants']
            if not isinstance(data__tenants, (list, tuple)):
                raise Refused
            data__tenants_is_list = isinstance(data__tenants, (list, tuple))
            if data__tenants_is_list:
                data__tenants_len = len(data__tenants)
                for data__tenants_x, data__tenants_item in enumerate(data__tenants):
                    validate___definitions_text(data__tenants_item)
        if 'agreement' in data_keys:
            data_keys.remove('agreement')
            data__agreement = data['agreement']
            validate___definitions_agreement(data__agreement)
        if data_keys:
            raise Refused
    return data

def validate___definitions_agreement(data: object) -> None:
    if not isinstance(data, dict):
        raise Refused
    data_is_dict = isinstance(data, dict)
    if data_is_dict:
        data__missing_keys = set(['reference']) - data.keys()
        if data__missing_keys:
            raise Refused
        data_keys = set(data.keys())
        if 'reference' in data_keys:
            data_keys.remove('reference')
            data__reference = data['reference']
            validate___definitions_text(data__reference)
        if 'expires' in data_keys:
            data_keys.remove('expires')
            data__expires = data['expires']
            validate___definitions_date(data__expires)
        if data_keys:
            raise Refused
    return data

def validate___definitions_partner_id(data: object) -> None:
    if not isinstance(data, (str, int)) and (not (isinstance(data, float) and data.is_integer())) or isinstance(data, bool):
        raise Refused
    return data

def validate___definitions_text(data: object) -> None:
    if not isinstance(data, str):
        raise Refused
    if isinstance(data, str):
        if not REGEX_PATTERNS['\\S'].search(data):
            raise Refused
    return data
