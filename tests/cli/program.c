/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/tandem-cli-XXXXXX";

void scratch_open(void) { CHECK(mkdtemp(folder)); }

void scratch_close(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    CHECK(system(command) == 0);
}

static char *path_of(const char *name)
{
    size_t n = strlen(folder) + strlen(name) + 2;
    char *path = malloc(n);
    CHECK(path);
    snprintf(path, n, "%s/%s", folder, name);
    return path;
}

char *scratch_file(const char *name, const char *text)
{
    char *path = path_of(name);
    FILE *f = text ? fopen(path, "w") : NULL;
    CHECK(!text || f);
    if (f) {
        CHECK(fputs(text, f) >= 0);
        CHECK(fclose(f) == 0);
    }
    return path;
}

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "r");
    CHECK(f);
    char *text = calloc(1, 1 << 20);
    CHECK(text);
    size_t n = fread(text, 1, (1 << 20) - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

said program_run(const char *prefix, const char *arguments)
{
    char *out = path_of("out"), *err = path_of("err"), command[4096];
    int n = snprintf(command, sizeof command, "cd '%s' && { %s '%s' %s; } >'%s' 2>'%s' </dev/null", folder, prefix,
                     TDM_PROGRAM, arguments, out, err);
    CHECK(n > 0 && (size_t)n < sizeof command);
    int status = system(command);
    CHECK(WIFEXITED(status));
    said s = {WEXITSTATUS(status), read_all(out), read_all(err)};
    free(out);
    free(err);
    return s;
}

void said_clear(said *s)
{
    free(s->out);
    free(s->err);
}
