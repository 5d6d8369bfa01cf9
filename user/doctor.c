/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `doctor` finds. */
#include <stdarg.h>

#include "doctor.h"
#include "util.h"

void found(struct findings *f, const char *name, enum finding_level level, const char *fix,
	   const char *fmt, ...)
{
	struct finding *more = reallocarray(f->items, f->n + 1, sizeof(*more));
	struct finding one = {.name = name, .level = level};
	va_list args;

	if (!more) {
		f->no_memory = true;
		return;
	}
	f->items = more;
	va_start(args, fmt);
	if (vasprintf(&one.says, fmt, args) < 0)
		one.says = NULL;
	va_end(args);
	one.fix = fix ? strdup(fix) : NULL;
	f->no_memory |= !one.says || (fix && !one.fix);
	more[f->n++] = one;
}

void findings_clear(struct findings *f)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		free(f->items[i].says);
		free(f->items[i].fix);
	}
	free(f->items);
	*f = (struct findings){};
}
