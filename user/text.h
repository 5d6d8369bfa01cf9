/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes that anybody may have chosen, made fit for a terminal or for JSON; times and durations in
 * the forms people write.
 */
#ifndef HG_TEXT_H
#define HG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Length of the UTF-8 character (RFC 3629) that bytes start with; 0 where they start with none. */
size_t utf8_char(const char *bytes, size_t len, uint32_t *ret_char);
bool utf8_valid(const char *bytes, size_t len);

/* Copies with U+FFFD for each byte that is in no character. To be freed; NULL: no memory. */
char *utf8_repair(const char *bytes, size_t len, size_t *ret_len);

/*
 * Writes bytes so that they show what they are and do nothing: control characters as \n, \t or
 * \xHH, characters that reorder or hide text (bidirectional controls, zero width, line separators)
 * as \u{HEX}, bytes in no character as \xHH, a backslash as \\.
 */
void text_show(FILE *f, const char *bytes, size_t len);

/* To be freed; NULL: no memory. */
char *base64_encode(const char *bytes, size_t len);
/* 0, -EINVAL, -ENOMEM. */
int base64_decode(const char *text, char **ret, size_t *ret_len);

#define TIME_TEXT_LEN 30 /* "2024-05-06T07:08:09.000000001Z" */
/* RFC 3339 in UTC with nine decimals; ns since 1970. buf: TIME_TEXT_LEN + 1 bytes. */
void time_text(uint64_t ns, char *buf);
/* RFC 3339 with up to nine decimals, Z or an offset. */
int time_parse(const char *text, uint64_t *ret_ns);
/* "90s", "10m", "2h", "1d" and joined as "1h30m". */
int duration_parse(const char *text, uint64_t *ret_ns);

#endif
