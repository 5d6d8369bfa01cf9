/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rules in lines for people: what of them speaks of the object at hand. */
#ifndef HG_RULE_SHORT_H
#define HG_RULE_SHORT_H

/* Bytes of a rule that need no shortening, and of one that was shortened (about). */
#define RULE_SHORT_MAX 80

/*
 * The rule's text, where it is long only its verdict, its actions and the pattern that matches:
 * `deny all … /srv/x* …`; without an object (NULL), or where none is found, its
 * beginning. To be freed; NULL: no memory.
 */
char *rule_short(const char *text, const char *object);

#endif
