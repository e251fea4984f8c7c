/*
 * Prepay: the meter side of STS (IEC 62055-41) for firmware in C. C99 or C++.
 *
 * Made by cbindgen from bindings/c/src; do not edit. How to use it: docs/guides/meter-in-firmware.md.
 *
 * Nothing is allocated: a meter lives in a prepay_meter, its state in two slots of a prepay_storage. One
 * meter belongs to one thread or interrupt at a time. Every pointer must be valid for what its type says;
 * null and misaligned ones are answered, others cannot be found out.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef PREPAY_METER_H
#define PREPAY_METER_H

#include <stddef.h>
#include <stdint.h>

// The bytes of a meter, the same on every target.
#define PREPAY_METER_SIZE 1088

// The same in words of eight bytes.
#define PREPAY_METER_WORDS 136

// The bytes that each of the two slots must have.
#define PREPAY_RECORD_LENGTH 416

// The maker takes the token.
#define PREPAY_MAKER_ACCEPT 0

// The maker has no such function. Every answer that is not one of these three means the same.
#define PREPAY_MAKER_UNKNOWN 1

// The value is out of range.
#define PREPAY_MAKER_RANGE 2

// Electricity, in kWh.
#define PREPAY_ELECTRICITY 0

// Water, in cubic metres.
#define PREPAY_WATER 1

// Gas, in cubic metres.
#define PREPAY_GAS 2

// Time, in minutes.
#define PREPAY_TIME 3

// Credit counts units of the service.
#define PREPAY_CREDIT_UNITS 0

// Credit counts money.
#define PREPAY_CREDIT_CURRENCY 1

// The carrier of a magnetic card.
#define PREPAY_CARRIER_MAGNETIC_CARD 1

// The carrier of twenty digits, as typed on a keypad.
#define PREPAY_CARRIER_NUMERIC 2

// The virtual carrier of a direct local connection.
#define PREPAY_CARRIER_VIRTUAL_LOCAL 7

// The virtual carrier over DLMS/COSEM.
#define PREPAY_CARRIER_VIRTUAL_COSEM 8

// A key type: the key of one meter in normal operation.
#define PREPAY_KEY_TYPE_UNIQUE 2

// A number of 32 bits that is unknown, or was never set.
#define PREPAY_NONE UINT32_MAX

// How many carriers a profile has room for.
#define PREPAY_MOST_CARRIERS 8

// How many items an outcome has room for: the most that a token can ask for is 21.
#define PREPAY_MOST_ITEMS 24

// An item to do: open and close the load switch, or switches.
#define PREPAY_ITEM_TEST_SWITCH 65521

// An item to do: exercise display, indicators and buzzer.
#define PREPAY_ITEM_TEST_DISPLAY 65522

// An item to do: test the token input device.
#define PREPAY_ITEM_TEST_INPUT 65523

// The number of flag 0 of the extended token set; flag n has this number plus n.
#define PREPAY_REGISTER_FLAG 57344

// The number of control 0 of the extended token set; control n has this number plus n.
#define PREPAY_REGISTER_CONTROL 61440

// The longest text of a token that is looked at, with its blanks and dashes.
#define PREPAY_MOST_TEXT 64

// The rate of a service that is paid by time, while it is in use.
#define PREPAY_TIME_RATE 60000

// The answer of every call.
enum prepay_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Done. For a token: there is an outcome, which may be a refusal.
  PREPAY_STATUS_OK = 0,
  // A pointer or a function pointer that must be there is null. Nothing was done.
  PREPAY_STATUS_NULL = 1,
  // A pointer is not aligned for its type. Nothing was done.
  PREPAY_STATUS_MISALIGNED = 2,
  // The memory holds no meter: it was never started, was wiped, or was copied to another place.
  PREPAY_STATUS_NO_METER = 3,
  // A callback called for the meter that is calling it. Nothing was done.
  PREPAY_STATUS_BUSY = 4,
  // A value is outside its range. Nothing was done.
  PREPAY_STATUS_VALUE = 5,
  // The profile does not suit the key, or has no service. Nothing was done.
  PREPAY_STATUS_PROFILE = 6,
  // A function of the storage answered with a fault. The meter is as it was; try again.
  PREPAY_STATUS_STORAGE = 7,
  // The storage holds no record: the meter was never made, or its storage is lost.
  PREPAY_STATUS_NO_RECORD = 8,
  // The newest record is damaged or of another layout. It takes a person to decide.
  PREPAY_STATUS_RECORD = 9,
  // The newest record was written by newer firmware.
  PREPAY_STATUS_NEWER_RECORD = 10,
  // The meter lacks this register, or nothing has set it yet.
  PREPAY_STATUS_ABSENT = 11,
  // The register is no number: see `prepay_state`.
  PREPAY_STATUS_NOT_NUMBER = 12,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum prepay_status prepay_status;
#else
typedef uint8_t prepay_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The result of a token.
enum prepay_result
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // No token has been entered yet.
  PREPAY_RESULT_NONE = 0,
  PREPAY_RESULT_ACCEPT = 1,
  PREPAY_RESULT_FIRST_KCT = 2,
  PREPAY_RESULT_SECOND_KCT = 3,
  PREPAY_RESULT_OVERFLOW_ERROR = 4,
  PREPAY_RESULT_KEY_TYPE_ERROR = 5,
  PREPAY_RESULT_FORMAT_ERROR = 6,
  PREPAY_RESULT_RANGE_ERROR = 7,
  PREPAY_RESULT_FUNCTION_ERROR = 8,
  PREPAY_RESULT_OLD_ERROR = 9,
  PREPAY_RESULT_USED_ERROR = 10,
  PREPAY_RESULT_KEY_EXPIRED_ERROR = 11,
  PREPAY_RESULT_DDTK_ERROR = 12,
  PREPAY_RESULT_CRC_ERROR = 13,
  PREPAY_RESULT_MFR_CODE_ERROR = 14,
  PREPAY_RESULT_LOCKOUT = 15,
  PREPAY_RESULT_NOT_READY = 16,
  PREPAY_RESULT_THIRD_KCT = 17,
  PREPAY_RESULT_FOURTH_KCT = 18,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum prepay_result prepay_result;
#else
typedef uint8_t prepay_result;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Whether a service flows, and if not, why.
enum prepay_switch
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It flows.
  PREPAY_SWITCH_CLOSED = 0,
  // Cut off: the meter was tampered with.
  PREPAY_SWITCH_TAMPER = 1,
  // Cut off: flag 2 of the extended token set asks for it.
  PREPAY_SWITCH_DISCONNECTED = 2,
  // Cut off: the load was above the maximum power limit.
  PREPAY_SWITCH_POWER_LIMIT = 3,
  // Cut off: the difference between the phases was above its limit.
  PREPAY_SWITCH_PHASE_UNBALANCE = 4,
  // Cut off: the credit is used up.
  PREPAY_SWITCH_NO_CREDIT = 5,
  // Cut off for a reason that this version of the library has no code for.
  PREPAY_SWITCH_OTHER = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum prepay_switch prepay_switch;
#else
typedef uint8_t prepay_switch;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What the customer is told about the credit of a service.
enum prepay_warning
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // There is enough.
  PREPAY_WARNING_NONE = 0,
  // Little is left.
  PREPAY_WARNING_LOW = 1,
  // Emergency credit is being used.
  PREPAY_WARNING_EMERGENCY = 2,
  // Nothing is left.
  PREPAY_WARNING_EXHAUSTED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum prepay_warning prepay_warning;
#else
typedef uint8_t prepay_warning;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What an accepted token did. In brackets: the fields of the outcome that count.
enum prepay_effect
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Nothing: the token was not executed.
  PREPAY_EFFECT_NONE = 0,
  // Units were added (service, identifier, value in tenths).
  PREPAY_EFFECT_CREDITED = 1,
  // Money was added, or taken if negative (service, identifier, value in 10^-5 of the currency).
  PREPAY_EFFECT_CURRENCY_CREDITED = 2,
  // A test or display is to be carried out (items).
  PREPAY_EFFECT_DISPLAY = 3,
  // A new maximum power limit applies (value in watts).
  PREPAY_EFFECT_POWER_LIMIT = 4,
  // A new limit of the difference between the phases applies (value in watts).
  PREPAY_EFFECT_PHASE_UNBALANCE_LIMIT = 5,
  // Credit was cleared (value is the register code of the token).
  PREPAY_EFFECT_CREDIT_CLEARED = 6,
  // The tariff rate was stored (value).
  PREPAY_EFFECT_TARIFF_RATE = 7,
  // The water meter factor was stored (value).
  PREPAY_EFFECT_WATER_FACTOR = 8,
  // The tamper condition has ended.
  PREPAY_EFFECT_TAMPER_CLEARED = 9,
  // A flag was set or cleared (index, value 1 or 0).
  PREPAY_EFFECT_FLAG = 10,
  // A control was stored (index, value).
  PREPAY_EFFECT_CONTROL = 11,
  // A management token of the maker was executed (sub_class, value).
  PREPAY_EFFECT_PROPRIETARY = 12,
  // A test token of the maker was accepted (sub_class, value is the control field).
  PREPAY_EFFECT_PROPRIETARY_TEST = 13,
  // The meter has a new key (value 1 if the token identifiers were forgotten).
  PREPAY_EFFECT_KEY_CHANGED = 14,
  // Something that this version of the library has no code for.
  PREPAY_EFFECT_OTHER = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum prepay_effect prepay_effect;
#else
typedef uint8_t prepay_effect;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// An amount of credit; the kind of the meter's registers decides which field counts.
typedef struct prepay_level {
  // Whether there is such a level: 0 no, others yes.
  uint8_t enabled;
  // For registers of units: tenths of a unit.
  uint32_t tenths;
  // For registers of money: 10^-5 of the base currency unit.
  uint64_t hundred_thousandths;
} prepay_level;

// A lockout after wrong tokens.
typedef struct prepay_lockout {
  // Whether there is one: 0 no, others yes.
  uint8_t enabled;
  // The wrong token in a row that locks for the first time.
  uint8_t free_tries;
  // Whether loss of power sets the count back: 0 no, others yes.
  uint8_t reset_on_power;
  // For how long it locks then, in seconds.
  uint32_t base_s;
  // By how much each further wrong token lengthens the time.
  uint32_t factor;
  // The longest time, in seconds.
  uint32_t cap_s;
} prepay_lockout;

// What happens above the power limits.
typedef struct prepay_trip {
  // Whether anything happens: 0 no, others yes.
  uint8_t enabled;
  // How often the switch closes again by itself.
  uint8_t resets;
  // For how long the load must exceed a limit, in seconds.
  uint32_t trip_after_s;
  // For how long the switch stays open, in seconds.
  uint32_t reset_after_s;
  // After how long within the limits the repetitions are forgotten, in seconds.
  uint32_t forgive_after_s;
} prepay_trip;

// What a meter is and has. Fixed by the hardware and its firmware, handed in at each start, never stored.
//
// Let `prepay_profile_electricity` fill it in, then change what differs.
typedef struct prepay_profile {
  // One bit a service: bit 0 electricity, 1 water, 2 gas, 3 time.
  uint8_t services;
  // `PREPAY_CREDIT_UNITS` or `PREPAY_CREDIT_CURRENCY`.
  uint8_t credit_form;
  // The largest set of key change tokens: 2, 3, or 4 exactly when the key has 128 bits.
  uint8_t set_size;
  // How many of `carriers` count.
  uint8_t carrier_count;
  // The carriers that the meter has.
  uint8_t carriers[PREPAY_MOST_CARRIERS];
  // Whether a meter for sets of three takes sets of two as well: 0 no, others yes.
  uint8_t two_token_sets;
  // Whether the key expiry number is obeyed: 0 no, others yes.
  uint8_t enforce_expiry;
  // Whether flags of the extended token set act on the switch: 0 no, others yes.
  uint8_t flags_act;
  // Whether the switches open on tamper: 0 no, others yes.
  uint8_t tamper_opens_switch;
  // For how long sections of a new key are held, in seconds from the first.
  uint32_t key_change_timeout_s;
  // The most that a register of units holds, in tenths.
  uint32_t unit_capacity_tenths;
  // How much may be used before it is stored, in grains (3 600 000 of a unit).
  uint64_t commit_every_grains;
  // The tests that test 0 stands for, bit n - 1 for test n.
  uint64_t test_zero;
  // For meters that count money: the price of one unit in 10^-5 of the base currency unit, by service.
  uint32_t prices[4];
  // Below or at which credit the meter warns.
  struct prepay_level low_credit;
  // How far credit may fall below zero once the customer has asked for it.
  struct prepay_level emergency_credit;
  // A lockout after wrong tokens.
  struct prepay_lockout lockout;
  // What happens above the power limits.
  struct prepay_trip trip;
} prepay_profile;

// A meter. Zero it before its first use, as static objects are; do not copy or move it while it is in use.
//
// It holds the key of the meter: `prepay_meter_wipe` it before its memory is used for anything else.
typedef struct prepay_meter {
  // Not for C to read.
  uint64_t opaque[PREPAY_METER_WORDS];
} prepay_meter;

// The state of a meter.
typedef struct prepay_state {
  // Its number: eighteen digits, then NUL.
  char pan[19];
  // The encryption algorithm, 7, 9 or 11.
  uint8_t algorithm;
  // The key type, 0 to 3.
  uint8_t key_type;
  // The key revision, 1 to 9; 0 for an initialization key.
  uint8_t key_revision;
  // The tariff index.
  uint8_t tariff_index;
  // The key expiry number.
  uint8_t key_expiry;
  // 1 in the tamper condition, otherwise 0.
  uint8_t tamper;
  // The sections of a new key that are still missing: bit n for section n; 0 when none is held.
  uint8_t waiting_for;
  // The result of the last token since the start.
  prepay_result last_result;
  // The supply group, or `PREPAY_NONE` after a set of two key change tokens.
  uint32_t supply_group;
  // The maximum power limit in watts, or `PREPAY_NONE`.
  uint32_t power_limit_watts;
  // The limit of the difference between the phases in watts, or `PREPAY_NONE`.
  uint32_t unbalance_limit_watts;
  // For how long tokens for this meter alone are refused, in seconds; 0 when it is not locked.
  uint64_t lockout_seconds;
  // The maker's registers.
  uint16_t maker[8];
} prepay_state;

// The state of one service.
typedef struct prepay_service_state {
  // Credit in tenths of a unit.
  int64_t credit_tenths;
  // Credit in grains (3 600 000 of a unit).
  int64_t credit_grains;
  // Credit in 10^-5 of the base currency unit.
  int64_t credit_money;
  // All that was ever used, in grains.
  uint64_t used_grains;
  // The switch.
  prepay_switch switch_state;
  // What the customer is told.
  prepay_warning warning;
  // 1 if the customer has asked for emergency credit, otherwise 0.
  uint8_t emergency;
} prepay_service_state;

// What a meter is given when it is made.
typedef struct prepay_birth {
  // Its number: eighteen digits, then NUL. Both check digits are verified.
  const char *pan;
  // Its first key, most significant byte first: 16 bytes for algorithm 11, otherwise 8. Wipe it after use.
  const uint8_t *key;
  // The encryption algorithm: 7, 9 or 11.
  uint8_t algorithm;
  // The type of the key, 0 to 3.
  uint8_t key_type;
  // The revision of the key, 1 to 9; 0 for an initialization key, which has none.
  uint8_t key_revision;
  // The tariff index, 0 to 99.
  uint8_t tariff_index;
  // The key expiry number; 255 for never.
  uint8_t key_expiry;
  // The supply group, or `PREPAY_NONE`.
  uint32_t supply_group;
  // How many token identifiers the meter remembers: 50.
  uint16_t remembered;
  // The identifier of the day of manufacture: it and all before it are refused.
  uint32_t manufactured;
} prepay_birth;

// The medium on which a meter keeps its state: two slots, 0 and 1.
//
// Each function answers 0, or anything else for a fault. What is written before must reach the medium
// before what is written after. A write that fails or is cut short may have written any part of its
// bytes, and must not touch others. The record holds the key of the meter in clear: the medium lies inside
// the boundary that protects it. The functions must not return by `longjmp` or a C++ exception.
typedef struct prepay_storage {
  // Handed to each function as it is. May be null.
  void *context;
  // Makes a slot blank: every byte reads 00, or every byte reads FF.
  int (*erase)(void *context, uint8_t slot);
  // Writes into a slot that was erased. No byte is written twice between two erasures.
  int (*write)(void *context, uint8_t slot, size_t offset, const uint8_t *bytes, size_t length);
  // Reads from a slot. What was never written reads as if it were erased.
  int (*read)(void *context, uint8_t slot, size_t offset, uint8_t *bytes, size_t length);
} prepay_storage;

// What the maker of a meter does with proprietary tokens.
//
// A function that is null refuses all of its tokens. Neither may have an effect of its own, since the token
// may still be refused as old or used: act on the outcome instead. Neither may return by `longjmp` or a
// C++ exception.
typedef struct prepay_maker {
  // Handed to each function as it is. May be null.
  void *context;
  // A management token, sub-class 11 to 15. `registers` is a copy of the maker's eight, which may be
  // changed: it is stored together with the token's identifier if the token is accepted.
  int (*management)(void *context, uint8_t sub_class, uint16_t value, uint16_t *registers);
  // A test or display token, sub-class 6 to 15.
  int (*test)(void *context, uint8_t sub_class, uint64_t control);
} prepay_maker;

// The answer to one token.
typedef struct prepay_outcome {
  // The result to report.
  prepay_result result;
  // What the token did.
  prepay_effect effect;
  // The service, 0 to 3.
  uint8_t service;
  // The maker's sub-class.
  uint8_t sub_class;
  // The sections of a new key that are still missing: bit n for section n, 1 to 4.
  uint8_t waiting_for;
  // How many of `items` count.
  uint8_t item_count;
  // The index of a flag or control.
  uint16_t index;
  // The identifier of the token.
  uint32_t identifier;
  // The value; the effect says of what.
  int64_t value;
  // What is to be done and shown, in this order: an item to do, or the number of a register.
  uint16_t items[PREPAY_MOST_ITEMS];
} prepay_outcome;

// What is demanded of a service while its switch is closed.
typedef struct prepay_load {
  // The service, 0 to 3.
  uint8_t service;
  // Watts of electricity, litres an hour of water or gas, `PREPAY_TIME_RATE` for time.
  uint32_t rate;
  // The difference between the phases, in watts; only electricity has one.
  uint32_t unbalance_watts;
} prepay_load;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Fills in a meter for electricity in units with a numeric keypad, and the defaults of the engine.
//
// # Safety
//
// `profile` is memory for a `prepay_profile`.
prepay_status prepay_profile_electricity(struct prepay_profile *profile, uint8_t set_size);

// The name of a result in lower case, such as `used_error`; `none` for what is no result. It is never null.
const char *prepay_result_name(uint8_t result);

// Reads the state of a meter.
//
// # Safety
//
// `meter` is memory for a `prepay_meter` that was zeroed before its first use, `state` memory for its type.
prepay_status prepay_meter_state(struct prepay_meter *meter,
                                 uint64_t now_s,
                                 struct prepay_state *state);

// Reads the state of one service, 0 to 3.
//
// # Safety
//
// As for `prepay_meter_state`.
prepay_status prepay_meter_service(struct prepay_meter *meter,
                                   uint8_t service,
                                   struct prepay_service_state *state);

// Reads a register that is a number, by its number in the engine's table or as an item of an outcome.
//
// # Safety
//
// As for `prepay_meter_state`; `value` is memory for its type.
prepay_status prepay_meter_register(struct prepay_meter *meter,
                                    uint16_t number,
                                    uint64_t now_s,
                                    int64_t *value);

// The bytes of a meter in this library: compare it with `PREPAY_METER_SIZE` of the header at start.
size_t prepay_meter_size(void);

// Makes a meter, and stores its first state in the place of whatever the storage held.
//
// Any meter in this memory is wiped first, and stays so when the call fails.
// Key material passes over the stack: clear it after commissioning if others can read it.
//
// # Safety
//
// `meter` is memory for a `prepay_meter` that was zeroed before its first use. The others point to what
// their types say, and `birth` to a text with NUL and to a key of full length.
prepay_status prepay_meter_manufacture(struct prepay_meter *meter,
                                       const struct prepay_profile *profile,
                                       const struct prepay_birth *birth,
                                       const struct prepay_storage *storage);

// Starts a meter from its storage, as after loss of power.
//
// `now_s` are seconds of a counter that only goes forward while the meter runs. It may start anew here.
// Any meter in this memory is wiped first, and stays so when the call fails.
// `PREPAY_STATUS_RECORD` is not to be passed over: an older state could give credit twice.
//
// # Safety
//
// As for `prepay_meter_manufacture`.
prepay_status prepay_meter_load(struct prepay_meter *meter,
                                const struct prepay_profile *profile,
                                const struct prepay_storage *storage,
                                uint64_t now_s);

// Wipes a meter and its key from memory, not from its storage. Memory that holds no meter is zeroed too.
//
// # Safety
//
// `meter` is memory for a `prepay_meter` that was zeroed before its first use.
prepay_status prepay_meter_wipe(struct prepay_meter *meter);

// Enters a token as text: twenty digits and NUL. Blanks and dashes are dropped.
//
// A text that is no token is an outcome, a format error. `maker` may be null: proprietary tokens are then
// refused. Unless the answer is `PREPAY_STATUS_OK`, `outcome` is not written.
//
// # Safety
//
// `meter` is memory for a `prepay_meter` that was zeroed before its first use, `digits` a text that ends
// with NUL, `outcome` memory for its type. The others point to what their types say.
prepay_status prepay_meter_enter_digits(struct prepay_meter *meter,
                                        const char *digits,
                                        uint8_t carrier,
                                        uint64_t now_s,
                                        const struct prepay_storage *storage,
                                        const struct prepay_maker *maker,
                                        struct prepay_outcome *outcome);

// Enters a token as 66 bits in nine bytes, most significant first, the six high bits zero.
//
// # Safety
//
// As for `prepay_meter_enter_digits`; `bytes` are nine bytes.
prepay_status prepay_meter_enter_bytes(struct prepay_meter *meter,
                                       const uint8_t *bytes,
                                       uint8_t carrier,
                                       uint64_t now_s,
                                       const struct prepay_storage *storage,
                                       const struct prepay_maker *maker,
                                       struct prepay_outcome *outcome);

// Lets seconds pass with a load on one service. Credit is drawn while its switch is closed.
//
// Ask `prepay_meter_service` for the switch afterwards. After `PREPAY_STATUS_STORAGE` the use is kept in
// memory and stored with the next commit: do not repeat the call.
//
// # Safety
//
// `meter` is memory for a `prepay_meter` that was zeroed before its first use; `load` and `storage` point
// to what their types say.
prepay_status prepay_meter_consume(struct prepay_meter *meter,
                                   const struct prepay_load *load,
                                   uint32_t seconds,
                                   const struct prepay_storage *storage);

// Stores what was used since the last commit: for firmware that feels the power failing.
//
// # Safety
//
// As for `prepay_meter_consume`.
prepay_status prepay_meter_save(struct prepay_meter *meter, const struct prepay_storage *storage);

// Notes that the meter was tampered with. After `PREPAY_STATUS_STORAGE` it is not noted.
//
// # Safety
//
// As for `prepay_meter_consume`.
prepay_status prepay_meter_tamper(struct prepay_meter *meter, const struct prepay_storage *storage);

// The customer asks for emergency credit. `in_use` becomes 1 if it is now in use, otherwise 0.
//
// # Safety
//
// As for `prepay_meter_consume`; `in_use` is memory for a byte.
prepay_status prepay_meter_start_emergency(struct prepay_meter *meter,
                                           uint8_t service,
                                           const struct prepay_storage *storage,
                                           uint8_t *in_use);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PREPAY_METER_H */

#ifdef __cplusplus
extern "C" {
#endif
/**
 * Brought by firmware on bare metal, for a library built with the feature panic-handler. Called when the
 * library finds a fault in itself; it must not return, and a reset is the right answer.
 */
void prepay_meter_panicked(void);
#ifdef __cplusplus
}
#endif
