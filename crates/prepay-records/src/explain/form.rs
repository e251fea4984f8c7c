//! Forms of a key management centre.

use super::Who::{Centre, Signatory};
use super::{Explanation, row};

const CHECK: &str = "check the form: prepay kmc form check FILE, or ask who wrote it";

pub(super) const ROWS: &[Explanation] = &[
    row(
        "form_json",
        "The file is not the JSON of a form.",
        "Another file was named, or it is cut off.",
        Signatory,
        CHECK,
    ),
    row(
        "form_format",
        "The file is of another format.",
        "Another program or a later version wrote it.",
        Signatory,
        CHECK,
    ),
    row(
        "form_kind",
        "There is no such form, or another one was expected.",
        "The name of the form is mistyped.",
        Signatory,
        "list the forms: prepay kmc form kinds",
    ),
    row(
        "form_field",
        "The form has no such field.",
        "The name of the field is mistyped.",
        Signatory,
        "list the fields: prepay kmc form kinds KIND",
    ),
    row(
        "form_state",
        "The form is not in a state in which this can be done.",
        "It is a draft and should be signed, or the other way round; or it was decided already.",
        Centre,
        "look at the form: prepay kmc form show NUMBER, or form check FILE",
    ),
    row(
        "form_signed",
        "The centre, its purpose, or a time beside the signature is not one.",
        "The form was changed.",
        Signatory,
        CHECK,
    ),
    row(
        "form_name",
        "The name or fingerprint beside the signature is not that of the key.",
        "The form was changed after signing.",
        Signatory,
        "ask the signatory for the file as it was signed",
    ),
    row(
        "form_not_canonical",
        "The signed form is not written as it was when it was signed.",
        "A program or a person reformatted the file.",
        Signatory,
        "ask the signatory for the file as it was signed; nothing in it may change",
    ),
    row(
        "form_faults",
        "Fields of the form are missing or wrong.",
        "The message lists them.",
        Signatory,
        "correct these fields: prepay kmc form new … --set FIELD=VALUE",
    ),
    row(
        "form_text",
        "The text of the form cannot be read.",
        "It is damaged, or was changed.",
        Signatory,
        CHECK,
    ),
    row(
        "form_key",
        "The key in the form is not the public key of a signatory.",
        "The form was changed, or another program wrote it.",
        Signatory,
        CHECK,
    ),
    row(
        "form_edition",
        "The form is of an earlier edition, which names no centre and never expires.",
        "An earlier version of this program wrote it.",
        Signatory,
        "fill the form in again with prepay kmc form new, and sign it for the centre",
    ),
    row(
        "form_purpose",
        "The form was signed for a test centre and this is a real one, or the other way round.",
        "It was sent to the wrong centre, or signed for it.",
        Signatory,
        "sign it for this centre: prepay kmc form sign … --centre ENROLMENT",
    ),
    row(
        "form_centre",
        "The form was signed for another centre, or for keys that this one has renewed.",
        "It was sent to the wrong centre, or signed with an old enrolment of this one.",
        Signatory,
        "sign it for this centre: prepay kmc form sign … --centre ENROLMENT",
    ),
    row(
        "form_lapsed",
        "The time until which the form may be accepted has passed.",
        "It was on its way too long, or is an old form that somebody kept.",
        Signatory,
        "if it is still wanted, sign it again",
    ),
    row(
        "module_key",
        "The module has other keys than the form or the authorisation names.",
        "The fingerprint is mistyped, or somebody enrolled another module under this name.",
        Centre,
        "call the owner of the group and compare the module's fingerprint; do not go on while it differs",
    ),
    row(
        "form_received",
        "The same form was received before.",
        "The file was given twice.",
        Centre,
        "continue with that number",
    ),
];
