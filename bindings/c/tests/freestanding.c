/*
 * The meter engine linked with nothing else: no operating system, no C library. `cargo xtask test` links it and never
 * runs it.
 *
 * What is defined here is all that the engine may ask for: the functions on memory that compilers expect everywhere,
 * and where a panic ends.
 */
#include <stddef.h>

#include "prepay_meter.h"

void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *left, const void *right, size_t length);
int bcmp(const void *left, const void *right, size_t length);
void prepay_meter_panicked(void);
void _start(void);

static prepay_meter meter;

void *memmove(void *to, const void *from, size_t length) {
    volatile unsigned char *target = to;
    const volatile unsigned char *source = from;
    size_t place;
    for (place = 0; place < length; place++) {
        size_t next = target < source ? place : length - 1 - place;
        target[next] = source[next];
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t length) {
    return memmove(to, from, length);
}

void *memset(void *to, int value, size_t length) {
    volatile unsigned char *target = to;
    while (length-- > 0) {
        *target++ = (unsigned char)value;
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t length) {
    const volatile unsigned char *one = left, *other = right;
    for (; length > 0; length--, one++, other++) {
        int difference = *one - *other;
        if (difference != 0) {
            return difference;
        }
    }
    return 0;
}

int bcmp(const void *left, const void *right, size_t length) {
    return memcmp(left, right, length);
}

void prepay_meter_panicked(void) {
    for (;;) {
    }
}

void _start(void) {
    prepay_meter_wipe(&meter);
    prepay_meter_panicked();
}
