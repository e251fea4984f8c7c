/*
 * Made by tests/c_program.rs; do not edit. PUBLIC TEST KEYS, and tokens for no real meter.
 *
 * The key and the first token are those of published conformance runs.
 */

#ifndef TEST_TOKENS_H
#define TEST_TOKENS_H

#define TEST_PAN "600727000000000009"
#define TEST_KEY {0xE6, 0x53, 0x34, 0x1F, 0x9D, 0x5B, 0xF3, 0x6F}
#define TEST_MANUFACTURED 1000000
#define TEST_CREDIT_1 "23716100501183194197"
#define TEST_CREDIT_2 "03478856371945259401"
#define TEST_MAKER "38714428018851178205"
#define TEST_SECTION_1 "37706235145557614322"
#define TEST_SECTION_2 "35379600391311502838"
#define TEST_CREDIT_OLD_KEY "40248792747330600744"
#define TEST_CREDIT_3 "21980942642250106866"
#define TEST_CREDIT_3_TENTHS 100

#endif
