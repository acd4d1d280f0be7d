/* SPDX-License-Identifier: Apache-2.0 */
/* program.h - runs the built program as a shell would, and keeps what it said. */
#ifndef TDM_TESTS_CLI_PROGRAM_H
#define TDM_TESTS_CLI_PROGRAM_H

typedef struct said {
    int status;      /* of exit */
    char *out, *err; /* free() with said_clear */
} said;

/* Runs `prefix tandem arguments` through sh ("" for none: "TANDEM_SEED=4"). Fails the test where it cannot. */
said program_run(const char *prefix, const char *arguments);
void said_clear(said *s);

/* A folder of the test's own, and the text of a file written into it; the path is the caller's to free(). */
void scratch_open(void);
void scratch_close(void);
char *scratch_file(const char *name, const char *text);

#endif
