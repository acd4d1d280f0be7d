/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - a child process with its two streams in files: no pipe can fill up, and a killed child leaves what it said.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_WORDS = 64 };

static ran last;
static char folder[256];

char *e2e_read(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s: %s", path, strerror(errno));
    size_t room = 1 << 16, got = 0, now;
    char *text = malloc(room);
    while (text && (now = fread(text + got, 1, room - got - 1, f)) > 0) {
        got += now;
        if (room - got < 2) text = realloc(text, room *= 2);
    }
    assert_non_null(text);
    text[got] = 0;
    fclose(f);
    if (n) *n = got;
    return text;
}

void e2e_write(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

bool e2e_exists(const char *path)
{
    struct stat s;
    return !stat(path, &s);
}

/* ---- the small log ---- */

static unsigned draw(unsigned *state, unsigned below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

static void write_log(void)
{
    static const char *const looks[] = {"Green", "Blue", "Red", "Plain", "Old"}, *const things[] = {"Soap", "Tea",
                                                                                                    "Lamp"};
    FILE *items = fopen("items.jsonl", "w"), *reviews = fopen("reviews.jsonl", "w");
    unsigned s = 7;
    assert_non_null(items);
    assert_non_null(reviews);
    for (unsigned i = 0; i < 45; i++)
        fprintf(items,
                "{\"asin\": \"I%03u\", \"title\": \"%s %s %u\", \"brand\": \"Brand%u\", \"category\": [\"Home\", "
                "\"%s\"]}\n",
                i, looks[i % 5], things[i % 3], i, i % 4, things[i % 3]);
    for (unsigned u = 0; u < 90; u++) {
        unsigned begin = draw(&s, 15), n = 6 + u % 7;
        for (unsigned k = 0; k < n; k++) {
            unsigned i = draw(&s, 100) < 85 ? (begin + k) % 15 * 3 + u % 3 : draw(&s, 45);
            fprintf(reviews,
                    "{\"reviewerID\": \"P%03u\", \"asin\": \"I%03u\", \"overall\": %u.0, \"summary\": \"nice %s\", "
                    "\"reviewText\": \"I like this %s a lot\", \"unixReviewTime\": %u}\n",
                    u, i, 2 + draw(&s, 4), things[i % 3], things[i % 3], 1500000000u + k * 2592000u + u * 25200u);
        }
    }
    assert_int_equal(fclose(items), 0);
    assert_int_equal(fclose(reviews), 0);
}

/* ---- the folder ---- */

int e2e_begin(void **state)
{
    const char *room = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%.200s/tandem-e2e-XXXXXX", room && *room ? room : "/tmp");
    if (!mkdtemp(folder) || chdir(folder)) return -1;
    write_log();
    return 0;
}

static int forget(const char *path, const struct stat *s, int type, struct FTW *w)
{
    (void)s, (void)type, (void)w;
    return remove(path);
}

void e2e_remove(const char *path) { assert_int_equal(nftw(path, forget, 16, FTW_DEPTH | FTW_PHYS), 0); }

int e2e_end(void **state)
{
    (void)state;
    free(last.out);
    free(last.err);
    last = (ran){0};
    return chdir("/") || nftw(folder, forget, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- the program ---- */

static void onto(const char *path, int fd)
{
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (to < 0 || dup2(to, fd) < 0) _exit(126);
    close(to);
}

pid_t e2e_start(const char *arguments)
{
    char *argv[MOST_WORDS] = {(char *)TDM_PROGRAM}, *words = strdup(arguments), *rest = NULL;
    int n = 1;
    assert_non_null(words);
    for (char *w = strtok_r(words, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        assert_true(n < MOST_WORDS - 1);
        argv[n++] = strcmp(w, "''") ? w : (char *)"";
    }
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        onto(".out", STDOUT_FILENO);
        onto(".err", STDERR_FILENO);
        execv(TDM_PROGRAM, argv);
        _exit(127);
    }
    free(words);
    return pid;
}

ran *e2e_finish(pid_t pid)
{
    int how = 0;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    free(last.out);
    free(last.err);
    last.status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    last.out = e2e_read(".out", NULL);
    last.err = e2e_read(".err", NULL);
    return &last;
}

ran *tandem(const char *arguments) { return e2e_finish(e2e_start(arguments)); }

void e2e_fit(const char *to, const char *more)
{
    char command[1024];
    snprintf(command, sizeof command, "fit reviews.jsonl --items items.jsonl -o %s %s", to, more);
    ran *r = tandem(command);
    if (r->status) fail_msg("tandem %s: status %d: %s", command, r->status, r->err);
}

/* ---- what was said ---- */

cJSON *e2e_json(const ran *r)
{
    cJSON *o = NULL;
    tdm_err err = {{0}};
    if (r->status) fail_msg("status %d: %s", r->status, r->err);
    CHECK_OK(tdm_json_parse(&o, r->out, strlen(r->out), "the answer", &err), err);
    return o;
}

void e2e_refused(const char *arguments, int status, const char *part, ...)
{
    va_list parts;
    ran *r = tandem(arguments);
    size_t lines = 0;
    for (const char *c = r->err; *c; c++) lines += *c == '\n';
    if (r->status != status) fail_msg("tandem %s: status %d and not %d: %s", arguments, r->status, status, r->err);
    if (*r->out) fail_msg("tandem %s: said on standard output: %s", arguments, r->out);
    if (lines != 1) fail_msg("tandem %s: said in %zu lines: %s", arguments, lines, r->err);
    va_start(parts, part);
    for (; part; part = va_arg(parts, const char *))
        if (!strstr(r->err, part)) fail_msg("tandem %s: did not say \"%s\": %s", arguments, part, r->err);
    va_end(parts);
}

static void same_file(const char *a, const char *b, const char *name)
{
    char path[512];
    size_t n, m;
    snprintf(path, sizeof path, "%s/%s", a, name);
    char *x = e2e_read(path, &n);
    snprintf(path, sizeof path, "%s/%s", b, name);
    char *y = e2e_read(path, &m);
    if (n != m || memcmp(x, y, n)) fail_msg("%s differs between %s and %s", name, a, b);
    free(x);
    free(y);
}

void e2e_same_model(const char *a, const char *b)
{
    char path[512];
    cJSON *manifest = NULL;
    const cJSON *f;
    size_t n = 0;
    tdm_err err = {{0}};
    snprintf(path, sizeof path, "%s/tandem.json", a);
    CHECK_OK(tdm_json_read(&manifest, path, &err), err);
    cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(manifest, "files"))
    {
        same_file(a, b, f->string);
        n++;
    }
    cJSON_Delete(manifest);
    CHECK(n > 10); /* the data, six models, two GPT-2s, the fusion */
    same_file(a, b, "tandem.json");
}
