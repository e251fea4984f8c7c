-- A vending key may be retiring: to be wiped when its time has come. Only the constraint changes, no row does, so its text is
-- replaced in the schema as SQLite describes it (lang_altertable.html, "Making Other Kinds Of Table Schema Changes").

PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''revoked'', ''retired''', '''revoked'', ''retiring'', ''retired''')
WHERE type = 'table' AND name = 'vending_key';
PRAGMA writable_schema = RESET;
