/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Roman numerals. */
#ifndef ROMAN_H
#define ROMAN_H

#include <stddef.h>

/* Writes number, 1 to 3999, as a text that ends with NUL; -1 where it does not fit. */
int roman_write(char *text, size_t room, unsigned int number);

#endif
