-- The tree of digests, by which the centre's module authenticates every row.

CREATE TABLE digest_node (
    node INTEGER PRIMARY KEY CHECK (node >= 0), -- 0 is the header, 1 the root
    contents BLOB NOT NULL CHECK (length(contents) <= 1048576)
) STRICT;

CREATE TRIGGER digest_node_is_not_deleted BEFORE DELETE ON digest_node
BEGIN SELECT RAISE(ABORT, 'nothing is deleted'); END;
