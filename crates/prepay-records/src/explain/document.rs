//! Documents by which centre and module agree and load keys.

use super::Who::{Centre, Client, Sender};
use super::{Explanation, row};

const AGAIN: &str = "let its writer send it again; if it is refused again, call them";

pub(super) const ROWS: &[Explanation] = &[
    row(
        "size",
        "The text is too long.",
        "Another file was meant, or something was appended to the text.",
        Client,
        "check the name of the file",
    ),
    row(
        "text",
        "The file is not text.",
        "Another file was meant, or it was damaged on the way.",
        Client,
        "check the name of the file, or get it again",
    ),
    row(
        "form",
        "A line of the document is not written as the format wants.",
        "It was damaged or changed on the way.",
        Sender,
        AGAIN,
    ),
    row(
        "checksum",
        "A line of the document is damaged.",
        "Its checksum does not fit: characters were lost or changed on the way.",
        Sender,
        AGAIN,
    ),
    row(
        "profile",
        "The document is of another key management profile.",
        "Another product or another version wrote it.",
        Sender,
        "ask for a document of the profile that the message names",
    ),
    row(
        "edition_1",
        "The file is a key-load file of edition 1, which Prepay does not load.",
        "It comes from an older kind of centre.",
        Centre,
        "ask the centre for a file of the profile that Prepay reads",
    ),
    row(
        "record",
        "The document lacks a record, or has another record in its place.",
        "It is cut off, or of another kind.",
        Sender,
        AGAIN,
    ),
    row(
        "item",
        "An item of the document has an invalid value.",
        "The message names line, item and problem.",
        Sender,
        AGAIN,
    ),
    row(
        "party",
        "The name in the document does not fit the public keys in it.",
        "Documents were mixed, or somebody changed the name.",
        Sender,
        "do not go on; call the party that it names",
    ),
    row(
        "other_module",
        "The document is meant for, or comes from, another module.",
        "Files of several modules were mixed up.",
        Client,
        "check which module the file is for",
    ),
    row(
        "other_centre",
        "The document is meant for another centre, or store and vault are of different centres.",
        "Files of several centres were mixed up.",
        Client,
        "hand it to the centre that it names; restore vault and centre.db from one back-up",
    ),
    row(
        "signature",
        "The signature does not fit the document.",
        "Something was changed after signing, or another key signed.",
        Sender,
        "ask the signer for the file as it was signed",
    ),
    row(
        "mac",
        "The document was not protected under the keys of this slot.",
        "Module and centre no longer share keys: one of them was restored or agreed again.",
        Centre,
        "agree again: prepay module request agreement",
    ),
    row(
        "unwrap",
        "A key in the file cannot be unwrapped.",
        "The file is damaged, or was made for another agreement.",
        Centre,
        "write a new request: prepay module request key-load",
    ),
    row(
        "check_value",
        "The check value of a key is not the expected one.",
        "The key is another one: a key, file or database was exchanged or damaged.",
        Centre,
        "stop, and let the centre compare the key with its back-ups",
    ),
    row(
        "twice",
        "The key-load file holds a key or register twice.",
        "The same was asked for twice.",
        Centre,
        "leave out the second one",
    ),
    row(
        "dates",
        "Two dates are in the wrong order.",
        "An end lies before its beginning.",
        Client,
        "correct the dates",
    ),
    row(
        "count",
        "There are too many, or none at all.",
        "A key-load file carries a limited number of keys, and at least one.",
        Client,
        "divide them among several requests",
    ),
    row(
        "key_value",
        "The bytes are not a key.",
        "A stored key is damaged, or something else was given.",
        Client,
        "use the copy of the key; if it is a stored one, restore from a back-up",
    ),
    row(
        "same_key",
        "One key serves for agreement and for signatures.",
        "Each party needs two different keys.",
        Sender,
        "let the party make its keys again",
    ),
];
