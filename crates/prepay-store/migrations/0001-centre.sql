-- The state of a key management centre.
--
-- Times are seconds since 1970 in UTC. Versions start at 1 and rise by 1 with each update. Nothing is ever
-- deleted, and triggers keep tables to which rows are only added. prepay-kmc defines the names of states and
-- actions and what they mean; the checks here guard the shape of values. Lengths are in characters, those of
-- documents in bytes.

CREATE TABLE centre (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL CHECK (version >= 1),
    id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 40),
    created INTEGER NOT NULL CHECK (created >= 0),
    next_customer INTEGER CHECK (next_customer BETWEEN 1 AND 999999),
    next_authorisation INTEGER CHECK (next_authorisation BETWEEN 1 AND 999999),
    next_form INTEGER CHECK (next_form BETWEEN 1 AND 999999)
) STRICT;

CREATE TABLE customer (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 999999),
    version INTEGER NOT NULL CHECK (version >= 1),
    organisation TEXT NOT NULL CHECK (length(organisation) <= 200),
    contact TEXT NOT NULL CHECK (length(contact) <= 200),
    address TEXT NOT NULL CHECK (length(address) <= 200),
    created INTEGER NOT NULL CHECK (created >= 0),
    form INTEGER REFERENCES form (number)
) STRICT;

CREATE TABLE signatory (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 40),
    version INTEGER NOT NULL CHECK (version >= 1),
    customer INTEGER NOT NULL REFERENCES customer (number),
    public_key TEXT NOT NULL UNIQUE CHECK (octet_length(public_key) <= 8192),
    fingerprint TEXT NOT NULL CHECK (length(fingerprint) <= 200),
    registered INTEGER NOT NULL CHECK (registered >= 0),
    revoked INTEGER CHECK (revoked >= 0)
) STRICT;

CREATE TABLE supply_group (
    code INTEGER PRIMARY KEY CHECK (code BETWEEN 0 AND 999999),
    version INTEGER NOT NULL CHECK (version >= 1),
    key_type INTEGER NOT NULL CHECK (key_type BETWEEN 1 AND 3),
    owner INTEGER NOT NULL REFERENCES customer (number),
    name TEXT NOT NULL CHECK (length(name) <= 40),
    area TEXT NOT NULL CHECK (length(area) <= 200),
    service TEXT NOT NULL CHECK (service IN ('electricity', 'water', 'gas', 'time')),
    cluster INTEGER NOT NULL CHECK (cluster BETWEEN 0 AND 65535),
    created INTEGER NOT NULL CHECK (created >= 0)
) STRICT;

CREATE TABLE ownership (
    supply_group INTEGER NOT NULL REFERENCES supply_group (code),
    sequence INTEGER NOT NULL CHECK (sequence BETWEEN 1 AND 4294967295),
    version INTEGER NOT NULL CHECK (version = 1),
    owner INTEGER NOT NULL REFERENCES customer (number),
    since INTEGER NOT NULL CHECK (since >= 0),
    form INTEGER REFERENCES form (number),
    PRIMARY KEY (supply_group, sequence)
) STRICT;

CREATE TABLE vending_key (
    supply_group INTEGER NOT NULL REFERENCES supply_group (code),
    revision INTEGER NOT NULL CHECK (revision BETWEEN 1 AND 9),
    generation INTEGER NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (state IN ('requested', 'live', 'revoked', 'retired')),
    key_type INTEGER NOT NULL CHECK (key_type BETWEEN 1 AND 3),
    algorithm INTEGER NOT NULL CHECK (algorithm BETWEEN 2 AND 4),
    expiry INTEGER NOT NULL CHECK (expiry BETWEEN 0 AND 255),
    base_date INTEGER NOT NULL CHECK (base_date IN (1993, 2014, 2035)),
    activation INTEGER NOT NULL CHECK (activation >= 0),
    expires INTEGER NOT NULL CHECK (expires >= 0),
    refresh_days INTEGER NOT NULL CHECK (refresh_days BETWEEN 1 AND 36500),
    unit_limit INTEGER CHECK (unit_limit BETWEEN 0 AND 4294967295),
    currency_limit INTEGER CHECK (currency_limit BETWEEN 0 AND 4294967295),
    sub_classes INTEGER NOT NULL CHECK (sub_classes BETWEEN 0 AND 255),
    check_value TEXT CHECK (length(check_value) = 11),
    created INTEGER NOT NULL CHECK (created >= 0),
    ended INTEGER CHECK (ended >= 0),
    form INTEGER REFERENCES form (number),
    PRIMARY KEY (supply_group, revision, generation)
) STRICT;

-- Each group and revision has at most one key that is not retired.
CREATE UNIQUE INDEX vending_key_live ON vending_key (supply_group, revision) WHERE state <> 'retired';

CREATE TABLE authorisation (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 999999),
    version INTEGER NOT NULL CHECK (version >= 1),
    supply_group INTEGER NOT NULL REFERENCES supply_group (code),
    module TEXT NOT NULL CHECK (length(module) BETWEEN 1 AND 40),
    granted_by TEXT NOT NULL REFERENCES signatory (name),
    granted INTEGER NOT NULL CHECK (granted >= 0),
    valid_until INTEGER NOT NULL CHECK (valid_until >= 0),
    location TEXT NOT NULL CHECK (length(location) <= 200),
    revoked INTEGER CHECK (revoked >= 0),
    form INTEGER REFERENCES form (number)
) STRICT;

CREATE INDEX authorisation_by_module ON authorisation (module, number);

CREATE TABLE module (
    id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 40),
    version INTEGER NOT NULL CHECK (version >= 1),
    fingerprint TEXT NOT NULL UNIQUE CHECK (length(fingerprint) <= 200),
    maker TEXT NOT NULL CHECK (length(maker) <= 200),
    model TEXT NOT NULL CHECK (length(model) <= 200),
    firmware TEXT NOT NULL CHECK (length(firmware) <= 200),
    enrolled INTEGER NOT NULL CHECK (enrolled >= 0),
    revoked INTEGER CHECK (revoked >= 0)
) STRICT;

CREATE TABLE agreement (
    module TEXT NOT NULL REFERENCES module (id),
    request_digest BLOB NOT NULL CHECK (length(request_digest) = 32),
    version INTEGER NOT NULL CHECK (version = 1),
    slot INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 65535),
    answered INTEGER NOT NULL CHECK (answered >= 0),
    PRIMARY KEY (module, request_digest)
) STRICT;

CREATE TABLE key_load (
    serial INTEGER PRIMARY KEY CHECK (serial >= 0),
    version INTEGER NOT NULL CHECK (version = 1),
    module TEXT NOT NULL REFERENCES module (id),
    slot INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 65535),
    nonce TEXT NOT NULL CHECK (length(nonce) <= 200),
    request_digest BLOB NOT NULL CHECK (length(request_digest) = 32),
    created INTEGER NOT NULL CHECK (created >= 0),
    expires INTEGER NOT NULL CHECK (expires >= 0),
    groups TEXT CHECK (length(groups) <= 6999), -- codes with commas between; NULL for all
    transactions TEXT CHECK (length(transactions) BETWEEN 1 AND 20), -- decimal: 64 bits do not fit
    file TEXT NOT NULL CHECK (octet_length(file) <= 1048576),
    UNIQUE (module, nonce)
) STRICT;

CREATE INDEX key_load_by_module ON key_load (module, serial);

CREATE TABLE loaded_key (
    serial INTEGER NOT NULL REFERENCES key_load (serial),
    place INTEGER NOT NULL CHECK (place >= 0),
    supply_group INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    check_value TEXT NOT NULL CHECK (length(check_value) = 11),
    issued_until INTEGER NOT NULL CHECK (issued_until >= 0),
    unit_limit INTEGER CHECK (unit_limit BETWEEN 0 AND 4294967295),
    currency_limit INTEGER CHECK (currency_limit BETWEEN 0 AND 4294967295),
    PRIMARY KEY (serial, place),
    UNIQUE (serial, supply_group, revision, generation),
    FOREIGN KEY (supply_group, revision, generation)
        REFERENCES vending_key (supply_group, revision, generation)
) STRICT;

CREATE TABLE left_out_key (
    serial INTEGER NOT NULL REFERENCES key_load (serial),
    place INTEGER NOT NULL CHECK (place >= 0),
    supply_group INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 40),
    PRIMARY KEY (serial, place),
    UNIQUE (serial, supply_group, revision, generation),
    FOREIGN KEY (supply_group, revision, generation)
        REFERENCES vending_key (supply_group, revision, generation)
) STRICT;

CREATE TABLE form (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 999999),
    version INTEGER NOT NULL CHECK (version >= 1),
    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
    state TEXT NOT NULL CHECK (state IN ('draft', 'signed', 'received', 'accepted', 'refused', 'done')),
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 48),
    document TEXT NOT NULL CHECK (octet_length(document) <= 65536),
    customer INTEGER REFERENCES customer (number)
) STRICT;

CREATE TABLE form_step (
    form INTEGER NOT NULL REFERENCES form (number),
    place INTEGER NOT NULL CHECK (place >= 0),
    state TEXT NOT NULL CHECK (state IN ('draft', 'signed', 'received', 'accepted', 'refused', 'done')),
    at INTEGER NOT NULL CHECK (at >= 0),
    by TEXT NOT NULL CHECK (length(by) <= 200),
    note TEXT NOT NULL CHECK (length(note) <= 200),
    PRIMARY KEY (form, place)
) STRICT;

CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY CHECK (sequence >= 1),
    at INTEGER NOT NULL CHECK (at >= 0),
    actor TEXT NOT NULL CHECK (length(actor) <= 200),
    action TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 40),
    subject TEXT NOT NULL CHECK (length(subject) <= 200),
    note TEXT NOT NULL CHECK (length(note) <= 200)
) STRICT;

CREATE TRIGGER journal_is_not_changed BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is only ever added to'); END;
CREATE TRIGGER journal_is_not_deleted BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is only ever added to'); END;
CREATE TRIGGER journal_has_no_gap BEFORE INSERT ON journal
WHEN new.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM journal)
BEGIN SELECT RAISE(ABORT, 'the journal has no gap'); END;

CREATE TRIGGER ownership_is_not_changed BEFORE UPDATE ON ownership
BEGIN SELECT RAISE(ABORT, 'ownerships are only ever added to'); END;
CREATE TRIGGER agreement_is_not_changed BEFORE UPDATE ON agreement
BEGIN SELECT RAISE(ABORT, 'agreements are only ever added to'); END;
CREATE TRIGGER key_load_is_not_changed BEFORE UPDATE ON key_load
BEGIN SELECT RAISE(ABORT, 'key loads are only ever added to'); END;
CREATE TRIGGER loaded_key_is_not_changed BEFORE UPDATE ON loaded_key
BEGIN SELECT RAISE(ABORT, 'key loads are only ever added to'); END;
CREATE TRIGGER left_out_key_is_not_changed BEFORE UPDATE ON left_out_key
BEGIN SELECT RAISE(ABORT, 'key loads are only ever added to'); END;
CREATE TRIGGER form_step_is_not_changed BEFORE UPDATE ON form_step
BEGIN SELECT RAISE(ABORT, 'steps of a form are only ever added to'); END;

-- REPLACE deletes a row without firing its delete trigger, so it needs a trigger of its own.
CREATE TRIGGER ownership_is_not_replaced BEFORE INSERT ON ownership
WHEN EXISTS (SELECT 1 FROM ownership WHERE supply_group = new.supply_group AND sequence = new.sequence)
BEGIN SELECT RAISE(ABORT, 'ownerships are only ever added to'); END;
CREATE TRIGGER agreement_is_not_replaced BEFORE INSERT ON agreement
WHEN EXISTS (SELECT 1 FROM agreement WHERE module = new.module AND request_digest = new.request_digest)
BEGIN SELECT RAISE(ABORT, 'agreements are only ever added to'); END;
CREATE TRIGGER key_load_is_not_replaced BEFORE INSERT ON key_load
WHEN EXISTS (SELECT 1 FROM key_load WHERE serial = new.serial)
BEGIN SELECT RAISE(ABORT, 'key loads are only ever added to'); END;
CREATE TRIGGER loaded_key_is_not_replaced BEFORE INSERT ON loaded_key
WHEN EXISTS (SELECT 1 FROM loaded_key WHERE serial = new.serial AND place = new.place)
BEGIN SELECT RAISE(ABORT, 'key loads are only ever added to'); END;
CREATE TRIGGER left_out_key_is_not_replaced BEFORE INSERT ON left_out_key
WHEN EXISTS (SELECT 1 FROM left_out_key WHERE serial = new.serial AND place = new.place)
BEGIN SELECT RAISE(ABORT, 'key loads are only ever added to'); END;
CREATE TRIGGER form_step_is_not_replaced BEFORE INSERT ON form_step
WHEN EXISTS (SELECT 1 FROM form_step WHERE form = new.form AND place = new.place)
BEGIN SELECT RAISE(ABORT, 'steps of a form are only ever added to'); END;

-- An update keeps the primary key and raises the version by 1.
CREATE TRIGGER centre_rises BEFORE UPDATE ON centre
WHEN new.one <> old.one OR new.version <> old.version + 1
BEGIN SELECT RAISE(ABORT, 'a key stays and a version rises by 1'); END;
CREATE TRIGGER customer_rises BEFORE UPDATE ON customer
WHEN new.number <> old.number OR new.version <> old.version + 1
BEGIN SELECT RAISE(ABORT, 'a key stays and a version rises by 1'); END;
CREATE TRIGGER signatory_rises BEFORE UPDATE ON signatory
WHEN new.name <> old.name OR new.version <> old.version + 1
BEGIN SELECT RAISE(ABORT, 'a key stays and a version rises by 1'); END;
CREATE TRIGGER supply_group_rises BEFORE UPDATE ON supply_group
WHEN new.code <> old.code OR new.version <> old.version + 1
BEGIN SELECT RAISE(ABORT, 'a key stays and a version rises by 1'); END;
CREATE TRIGGER vending_key_rises BEFORE UPDATE ON vending_key
WHEN new.supply_group <> old.supply_group OR new.revision <> old.revision OR new.generation <> old.generation
    OR new.version <> old.version + 1
BEGIN SELECT RAISE(ABORT, 'a key stays and a version rises by 1'); END;
CREATE TRIGGER authorisation_rises BEFORE UPDATE ON authorisation
WHEN new.number <> old.number OR new.version <> old.version + 1
BEGIN SELECT RAISE(ABORT, 'a key stays and a version rises by 1'); END;
CREATE TRIGGER module_rises BEFORE UPDATE ON module
WHEN new.id <> old.id OR new.version <> old.version + 1
BEGIN SELECT RAISE(ABORT, 'a key stays and a version rises by 1'); END;
CREATE TRIGGER form_rises BEFORE UPDATE ON form
WHEN new.number <> old.number OR new.version <> old.version + 1
BEGIN SELECT RAISE(ABORT, 'a key stays and a version rises by 1'); END;

CREATE TRIGGER centre_is_not_deleted BEFORE DELETE ON centre
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER customer_is_not_deleted BEFORE DELETE ON customer
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER signatory_is_not_deleted BEFORE DELETE ON signatory
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER supply_group_is_not_deleted BEFORE DELETE ON supply_group
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER ownership_is_not_deleted BEFORE DELETE ON ownership
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER vending_key_is_not_deleted BEFORE DELETE ON vending_key
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER authorisation_is_not_deleted BEFORE DELETE ON authorisation
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER module_is_not_deleted BEFORE DELETE ON module
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER agreement_is_not_deleted BEFORE DELETE ON agreement
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER key_load_is_not_deleted BEFORE DELETE ON key_load
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER loaded_key_is_not_deleted BEFORE DELETE ON loaded_key
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER left_out_key_is_not_deleted BEFORE DELETE ON left_out_key
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER form_is_not_deleted BEFORE DELETE ON form
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER form_step_is_not_deleted BEFORE DELETE ON form_step
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
