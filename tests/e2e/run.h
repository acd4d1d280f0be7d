/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - runs the built program as a person does, and keeps what it said.
 *
 * Each test program works in a folder of its own, made anew and removed at the end, with a small log in it:
 * reviews.jsonl (people P000...P089, 45 items I000...I044 in three categories, order that matters) and items.jsonl. */
#ifndef TDM_TESTS_E2E_RUN_H
#define TDM_TESTS_E2E_RUN_H

#include "base/json.h"
#include "check.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct ran {
    int status; /* exit status; 128 + the signal where one ended it */
    char *out, *err;
} ran;

/* cmocka group set-up and tear-down: the folder, which becomes the current one. */
int e2e_begin(void **state);
int e2e_end(void **state);

/* Runs `tandem` with `arguments`, words parted by single spaces; '' is an empty word. The result stands until the next
 * call. */
ran *tandem(const char *arguments);

/* Starts it and does not wait; e2e_finish() waits and gives what it said. */
pid_t e2e_start(const char *arguments);
ran *e2e_finish(pid_t pid);

/* A fit of the small log in a second or two; `more` is added to the command. Fails the test where it fails. */
void e2e_fit(const char *folder, const char *more);
#define E2E_QUICK "--preset quick --set gpt2-words.steps=30 --set gpt2-items.epochs=2 --set gpt2-items.updates=0"

/* The answer as JSON, to cJSON_Delete(). */
cJSON *e2e_json(const ran *r);

/* Status as expected, nothing on standard output, one line on standard error that holds each of `parts` (NULL ends). */
void e2e_refused(const char *arguments, int status, const char *part, ...);

char *e2e_read(const char *path, size_t *n); /* the whole file, ended by NUL; to free() */
void e2e_write(const char *path, const void *bytes, size_t n);
bool e2e_exists(const char *path);
void e2e_remove(const char *folder); /* with all that is in it */

/* Every file that tandem.json names, and tandem.json, byte for byte. */
void e2e_same_model(const char *a, const char *b);

#endif
