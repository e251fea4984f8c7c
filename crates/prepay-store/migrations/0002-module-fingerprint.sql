-- An authorisation may name the module's key. NULL: it was granted on paper, or before forms named one.

ALTER TABLE authorisation ADD COLUMN module_fingerprint TEXT CHECK (length(module_fingerprint) <= 200);
