/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ensure.h: assertions that stay on in every build.
 *
 * ensure(x) is for what cannot happen unless Rouse itself is wrong: it prints the place and aborts.
 * Never for bad input, a full table or a failing system call.
 */
#ifndef ROUSE_BASE_ENSURE_H
#define ROUSE_BASE_ENSURE_H

/* Prints "file:line: function: ensure failed: text" to stderr and aborts; async-signal-safe. */
_Noreturn void ensure_failed(const char *file, int line, const char *func, const char *text);

#define ensure(x) ((x) ? (void)0 : ensure_failed(__FILE__, __LINE__, __func__, #x))

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))

#endif
