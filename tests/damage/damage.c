/* SPDX-License-Identifier: Apache-2.0 */
#include "damage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PRINTED = 8 };

static char base[256];
static size_t notes;

int damage_begin(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    const char *in = !access("/dev/shm", W_OK) ? "/dev/shm" : tmp && *tmp ? tmp : "/tmp";
    snprintf(base, sizeof base, "%s/tandem-damage-XXXXXX", in);
    return mkdtemp(base) ? 0 : -1;
}

int damage_end(void **state)
{
    (void)state;
    DIR *d = opendir(base);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.') {
            char path[600];
            snprintf(path, sizeof path, "%s/%s", base, e->d_name);
            if (unlink(path)) damage_remove(path);
        }
    if (d) closedir(d);
    return rmdir(base);
}

bool damage_deep(void)
{
    const char *deep = getenv("TANDEM_DEEP");
    return deep && *deep && strcmp(deep, "0");
}

const char *damage_path(const char *name)
{
    static char path[4][400];
    static size_t turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", base, name);
    return p;
}

void damage_put(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(bytes, 1, n, f) == n && !fclose(f));
}

char *damage_get(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    CHECK(!fseek(f, 0, SEEK_END));
    *n = (size_t)ftell(f);
    rewind(f);
    char *p = malloc(*n + 1);
    CHECK(p && fread(p, 1, *n, f) == *n && !fclose(f));
    p[*n] = 0;
    return p;
}

/* Calls for each file of the folder; how many there were. */
static size_t each_file(const char *folder, bool remove_it)
{
    DIR *d = opendir(folder);
    size_t n = 0;
    for (struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            char path[800];
            snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
            n++;
            if (remove_it) CHECK(!unlink(path));
        }
    if (d) closedir(d);
    return n;
}

void damage_remove(const char *folder)
{
    each_file(folder, true);
    rmdir(folder);
}

size_t damage_count(const char *folder) { return each_file(folder, false); }

char *damage_real(const char *name, size_t *n)
{
    char path[600];
    size_t all = 0, most = *n;
    snprintf(path, sizeof path, "%s/../shared/data/%s", TDM_SOURCE_DIR, name);
    char *p = damage_get(path, &all);
    *n = all < most ? all : most;
    while (p && *n && all > most && p[*n - 1] != '\n') --*n;
    return p;
}

outcome damage_prepare(const char *source, const char *folder, const tdm_options *more, size_t threads)
{
    outcome o = {TDM_OK, {{0}}, NULL};
    tdm_options options = more ? *more : (tdm_options){0};
    tdm_run *run;
    char *text = NULL;
    options.sources = &source;
    options.n_sources = 1;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = threads, .seed = 1}, &o.err), o.err);
    o.st = tdm_pipeline_prepare(&text, folder, &options, run, &o.err);
    tdm_run_close(run);
    CHECK((o.st == TDM_OK) == (text != NULL)); /* outputs are NULL on failure */
    if (text) CHECK((o.health = cJSON_Parse(text)) != NULL);
    tdm_text_free(text);
    return o;
}

void damage_done(outcome *o) { cJSON_Delete(o->health); }

double damage_rejected(const cJSON *health)
{
    double n = 0;
    const cJSON *v;
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(health, "rejected")) n += v->valuedouble;
    return n;
}

const char *damage_form(const cJSON *health)
{
    const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(health, "sources"), 0);
    return tdm_json_str(first, "format", "");
}

/* One line of readable text that names the file. */
static bool is_sentence(const char *s, const char *source)
{
    for (const char *p = s; *p; p++)
        if ((unsigned char)*p < ' ') return false;
    return strstr(s, source) && strlen(s) > strlen(source) + 10;
}

static const char *account_wrong(const cJSON *h)
{
    static char why[500];
    const char *left[] = {"interactions", "duplicates", "below_min_rating", "left_out_events", "left_out_core"};
    double read = tdm_json_num(h, "rows_read", -1), sum = damage_rejected(h);
    double interactions = tdm_json_num(h, "interactions", -1), extra = tdm_json_num(h, "several_people", 0);
    for (size_t k = 0; k < sizeof left / sizeof *left; k++) sum += tdm_json_num(h, left[k], 0);
    if (read + extra != sum) {
        snprintf(
            why, sizeof why,
            "%.0f rows read and %.0f of several people, but %.0f kept or left out for a reason (%.0f interactions, "
            "%.0f duplicates, %.0f rejected)",
            read, extra, sum, interactions, tdm_json_num(h, "duplicates", 0), damage_rejected(h));
        return why;
    }
    const cJSON *v, *source;
    double rows = 0;
    cJSON_ArrayForEach(source, cJSON_GetObjectItemCaseSensitive(
                                   h, "sources")) if (!strcmp(tdm_json_str(source, "holds", ""), "interactions"))
        rows += tdm_json_num(source, "rows", -1);
    if (rows != read) return "the rows of the sources are not rows_read";
    double rated = 0;
    cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(h, "ratings")) rated += v->valuedouble;
    if (rated > interactions) return "more ratings than interactions";
    if (interactions < 1 || tdm_json_num(h, "users", 0) > interactions || tdm_json_num(h, "items", 0) > interactions)
        return "counts of people, items and interactions that cannot be";
    return NULL;
}

const char *damage_wrong(const outcome *o, const char *source, const char *folder)
{
    static char why[1300];
    if (o->st) {
        if (!is_sentence(o->err.msg, source)) {
            snprintf(why, sizeof why, "not a sentence that names the file: \"%s\"", o->err.msg);
            return why;
        }
        return damage_count(folder) ? "it failed and left files in the folder" : NULL;
    }
    const char *account = account_wrong(o->health);
    if (account) return account;
    tdm_err err = {{0}};
    char *text = NULL;
    if (tdm_inspect(&text, folder, &err)) {
        snprintf(why, sizeof why, "the dataset does not open: %s", err.msg);
        return why;
    }
    cJSON *j = cJSON_Parse(text);
    bool same = tdm_json_num(j, "interactions", -1) == tdm_json_num(o->health, "interactions", -2);
    cJSON_Delete(j);
    tdm_text_free(text);
    if (damage_count(folder) != 3) return "a dataset is three files, and there are others beside it";
    return same ? NULL : "the dataset holds another number of interactions than the health table says";
}

void damage_note(const char *what, const char *label, const void *bytes, size_t n)
{
    if (notes++ >= PRINTED) return;
    const char *tmp = getenv("TMPDIR");
    char path[400];
    snprintf(path, sizeof path, "%s/tandem-damage-%.100s-%zu", tmp && *tmp ? tmp : "/tmp", label, notes);
    for (char *p = strstr(path, "tandem-damage-"); *p; p++)
        if (*p == '/' || *p == ' ') *p = '_';
    damage_put(path, bytes, n);
    print_error("%s: %s\n    the file: %s\n", label, what, path);
}

void damage_notes_end(void)
{
    size_t n = notes;
    notes = 0;
    if (n) fail_msg("%zu files came out wrong", n);
}
