/*
 * A meter from commissioning to power cut, on the host: what firmware does with the library.
 *
 * The storage is memory that can stop after any byte, as a medium does when power fails. Prints one line
 * for each step and ends with 1 at the first that is not as expected.
 *
 * PUBLIC TEST KEYS ONLY: those of test_tokens.h are no secret to anybody.
 */

#include <stdio.h>
#include <string.h>

#include "prepay_meter.h"
#include "test_tokens.h"

/* Two slots, and how many bytes may still be written before power fails; negative: it does not. */
struct medium {
    uint8_t slots[2][PREPAY_RECORD_LENGTH];
    long bytes_left;
};

static struct medium medium;
static prepay_meter meter; /* Static, so it starts as zeros. */
static prepay_profile profile;

static int put(struct medium *to, uint8_t slot, size_t offset, uint8_t byte)
{
    if (to->bytes_left == 0)
        return -1;
    if (to->bytes_left > 0)
        to->bytes_left--;
    to->slots[slot][offset] = byte;
    return 0;
}

static int erase_slot(void *context, uint8_t slot)
{
    size_t i;
    for (i = 0; i < PREPAY_RECORD_LENGTH; i++)
        if (put(context, slot, i, 0xFF))
            return -1;
    return 0;
}

static int write_slot(void *context, uint8_t slot, size_t offset, const uint8_t *bytes, size_t length)
{
    size_t i;
    if (offset + length > PREPAY_RECORD_LENGTH)
        return -2;
    for (i = 0; i < length; i++)
        if (put(context, slot, offset + i, bytes[i]))
            return -1;
    return 0;
}

static int read_slot(void *context, uint8_t slot, size_t offset, uint8_t *bytes, size_t length)
{
    struct medium *from = context;
    if (offset + length > PREPAY_RECORD_LENGTH)
        return -2;
    memcpy(bytes, &from->slots[slot][offset], length);
    return 0;
}

static const prepay_storage storage = {&medium, erase_slot, write_slot, read_slot};

/* The maker of this meter has one management function, sub-class 11: it sets register 0 up to 100. */
static int maker_management(void *context, uint8_t sub_class, uint16_t value, uint16_t *registers)
{
    (void)context;
    if (sub_class != 11)
        return PREPAY_MAKER_UNKNOWN;
    if (value > 100)
        return PREPAY_MAKER_RANGE;
    registers[0] = value;
    return PREPAY_MAKER_ACCEPT;
}

static const prepay_maker maker = {NULL, maker_management, NULL};

static long credit(void)
{
    prepay_service_state state;
    if (prepay_meter_service(&meter, PREPAY_ELECTRICITY, &state) != PREPAY_STATUS_OK)
        return -1;
    return (long)state.credit_tenths;
}

static prepay_status enter(const char *digits, prepay_outcome *outcome)
{
    return prepay_meter_enter_digits(&meter, digits, PREPAY_CARRIER_NUMERIC, 0, &storage, &maker, outcome);
}

/* Enters a token, prints the answer, and answers whether it is the expected one. */
static int step(const char *what, const char *digits, prepay_result expected)
{
    prepay_outcome outcome;
    prepay_status status = enter(digits, &outcome);
    if (status != PREPAY_STATUS_OK) {
        printf("%s: status %d\n", what, (int)status);
        return 0;
    }
    printf("%s: %s, credit %ld\n", what, prepay_result_name(outcome.result), credit());
    return outcome.result == expected;
}

static int commission(void)
{
    static const uint8_t key[] = TEST_KEY;
    prepay_birth birth = {0};
    prepay_state state;
    if (prepay_meter_size() != PREPAY_METER_SIZE)
        return 0;
    if (prepay_profile_electricity(&profile, 3) != PREPAY_STATUS_OK)
        return 0;
    birth.pan = TEST_PAN;
    birth.key = key;
    birth.algorithm = 7;
    birth.key_type = PREPAY_KEY_TYPE_UNIQUE;
    birth.key_revision = 1;
    birth.tariff_index = 1;
    birth.key_expiry = 255;
    birth.supply_group = 123456;
    birth.remembered = 50;
    birth.manufactured = TEST_MANUFACTURED;
    if (prepay_meter_load(&meter, &profile, &storage, 0) != PREPAY_STATUS_NO_RECORD)
        return 0;
    if (prepay_meter_manufacture(&meter, &profile, &birth, &storage) != PREPAY_STATUS_OK)
        return 0;
    if (prepay_meter_state(&meter, 0, &state) != PREPAY_STATUS_OK)
        return 0;
    printf("commissioned: %s, key revision %d, supply group %lu\n", state.pan, state.key_revision,
           (unsigned long)state.supply_group);
    return 1;
}

static int change_key(void)
{
    prepay_state state;
    if (!step("first section", TEST_SECTION_1, PREPAY_RESULT_FIRST_KCT))
        return 0;
    if (prepay_meter_state(&meter, 0, &state) != PREPAY_STATUS_OK || state.waiting_for != 1 << 2)
        return 0;
    if (!step("second section", TEST_SECTION_2, PREPAY_RESULT_ACCEPT))
        return 0;
    if (prepay_meter_state(&meter, 0, &state) != PREPAY_STATUS_OK)
        return 0;
    printf("new key: revision %d, type %d, tariff %d, supply group %s\n", state.key_revision,
           state.key_type, state.tariff_index, state.supply_group == PREPAY_NONE ? "unknown" : "known");
    return state.key_revision == 2;
}

static int restart(long bytes_left)
{
    medium.bytes_left = bytes_left;
    if (prepay_meter_wipe(&meter) != PREPAY_STATUS_OK)
        return 0;
    return prepay_meter_load(&meter, &profile, &storage, 0) == PREPAY_STATUS_OK;
}

/* Power fails after each byte that the token writes; then it is entered again. */
static int cut_power(void)
{
    const struct medium start = medium;
    const long before = credit(), after = before + TEST_CREDIT_3_TENTHS;
    prepay_outcome outcome;
    prepay_status status;
    long bytes = 0, lost = 0;
    do {
        int has_credit;
        medium = start;
        if (!restart(bytes))
            return 0;
        status = enter(TEST_CREDIT_3, &outcome);
        if (status != PREPAY_STATUS_OK && status != PREPAY_STATUS_STORAGE)
            return 0;
        if (!restart(-1))
            return 0;
        has_credit = credit() == after;
        if (!has_credit && (credit() != before || status == PREPAY_STATUS_OK))
            return 0; /* Part of the credit, or an answer that was forgotten. */
        lost += !has_credit;
        if (enter(TEST_CREDIT_3, &outcome) != PREPAY_STATUS_OK)
            return 0;
        if (outcome.result != (has_credit ? PREPAY_RESULT_USED_ERROR : PREPAY_RESULT_ACCEPT))
            return 0;
        if (credit() != after)
            return 0;
        bytes++;
    } while (status != PREPAY_STATUS_OK);
    printf("power cut: %ld times, %ld without credit, then exactly once, credit %ld\n", bytes - 1, lost,
           credit());
    return 1;
}

static int use(void)
{
    const prepay_load load = {PREPAY_ELECTRICITY, 36000, 0};
    prepay_service_state state;
    if (prepay_meter_consume(&meter, &load, 3600, &storage) != PREPAY_STATUS_OK)
        return 0;
    if (prepay_meter_service(&meter, PREPAY_ELECTRICITY, &state) != PREPAY_STATUS_OK)
        return 0;
    printf("an hour of 36 kW: credit %ld, switch %d\n", (long)state.credit_tenths, (int)state.switch_state);
    if (state.switch_state != PREPAY_SWITCH_NO_CREDIT)
        return 0;
    if (prepay_meter_tamper(&meter, &storage) != PREPAY_STATUS_OK)
        return 0;
    if (prepay_meter_service(&meter, PREPAY_ELECTRICITY, &state) != PREPAY_STATUS_OK)
        return 0;
    printf("tampered with: switch %d\n", (int)state.switch_state);
    return state.switch_state == PREPAY_SWITCH_TAMPER;
}

int main(void)
{
    char wrong[] = TEST_CREDIT_2;
    memset(medium.slots, 0xFF, sizeof medium.slots);
    medium.bytes_left = -1;
    wrong[19] = wrong[19] == '9' ? '0' : (char)(wrong[19] + 1);
    if (!commission())
        return 1;
    if (!step("0.1 kWh", TEST_CREDIT_1, PREPAY_RESULT_ACCEPT) ||
        !step("the same again", TEST_CREDIT_1, PREPAY_RESULT_USED_ERROR) ||
        !step("a wrong digit", wrong, PREPAY_RESULT_CRC_ERROR) ||
        !step("cut short", "2371 6100", PREPAY_RESULT_FORMAT_ERROR) ||
        !step("25.6 kWh", TEST_CREDIT_2, PREPAY_RESULT_ACCEPT) ||
        !step("the maker's", TEST_MAKER, PREPAY_RESULT_ACCEPT))
        return 1;
    if (!change_key() || !step("under the old key", TEST_CREDIT_OLD_KEY, PREPAY_RESULT_CRC_ERROR))
        return 1;
    if (!cut_power() || !use())
        return 1;
    if (prepay_meter_wipe(&meter) != PREPAY_STATUS_OK || credit() != -1)
        return 1;
    printf("wiped\n");
    return 0;
}
