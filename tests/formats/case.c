/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw */
#include "formats/case.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *case_folder(char *room, size_t n)
{
    snprintf(room, n, "/tmp/tandem-formats-XXXXXX");
    if (!mkdtemp(room)) fail_msg("no folder under /tmp");
    return room;
}

static int gone(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

void case_folder_remove(const char *folder)
{
    if (nftw(folder, gone, 8, FTW_DEPTH | FTW_PHYS)) print_message("%s: could not be removed\n", folder);
}

static double number(const cJSON *j, const char *key) { return tdm_json_num(j, key, -1); }

/* What was told so far, and what the next part is told behind. */
typedef struct telling {
    char *text;
    size_t n, room;
    const char *between;
} telling;

/* Tells of `count` rows that are not kept, and returns it. */
static double left(telling *t, double count, const char *why)
{
    if (count != 0) {
        t->n += (size_t)snprintf(t->text + t->n, t->room - t->n, "%s%.0f %s", t->between, count, why);
        t->between = ", ";
    }
    return count;
}

const char *case_prepare(const char *folder, const tdm_options *o)
{
    static char text[1200];
    char *health = NULL, path[200], tables[200];
    tdm_err err = {{0}};
    snprintf(path, sizeof path, "%s/dataset", folder);
    snprintf(tables, sizeof tables, "%s/tables", folder);
    tdm_run *run;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = 2, .seed = 1}, &err), err);
    tdm_status st = tdm_pipeline_prepare(&health, path, o, run, &err);
    tdm_run_close(run);
    if (st) {
        snprintf(text, sizeof text, "refused: %s", err.msg);
        return text;
    }
    cJSON *h = cJSON_Parse(health), *why;
    telling out = {text, 0, sizeof text, "; "};
    out.n = (size_t)snprintf(text, sizeof text, "%.0f rows, %.0f people, %.0f items (%.0f titled), %.0f interactions",
                             number(h, "rows_read"), number(h, "users"), number(h, "items"),
                             number(h, "items_with_title"), number(h, "interactions"));
    double lost = number(h, "rows_read") + number(h, "several_people") - number(h, "interactions");
    lost -= left(&out, number(h, "duplicates"), "duplicate");
    cJSON_ArrayForEach(why, cJSON_GetObjectItem(h, "rejected")) lost -= left(&out, why->valuedouble, why->string);
    lost -= left(&out, number(h, "below_min_rating"), "below --min-rating");
    lost -= left(&out, number(h, "left_out_events"), "of no weight");
    left(&out, lost, "lost"); /* every row is kept or counted somewhere */
    cJSON_Delete(h);
    tdm_text_free(health);
    st = tdm_export(path, "csv", tables, &err);
    if (st) snprintf(text, sizeof text, "could not be exported: %s", err.msg);
    return text;
}

/* Every part of `want`, apart by " … ", one behind the other. */
static bool sentence_has(const char *said, const char *want)
{
    while (*want) {
        char part[200];
        const char *end = strstr(want, " … ");
        size_t n = end ? (size_t)(end - want) : strlen(want);
        if (n >= sizeof part) return false;
        memcpy(part, want, n);
        part[n] = 0;
        said = strstr(said, part);
        if (!said) return false;
        said += n;
        want += n + (end ? strlen(" … ") : 0);
    }
    return true;
}

static bool same(const char *bytes, const char *line, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != line[i] && !(bytes[i] == '\n' && line[i] == '|')) return false;
    return bytes[n] == '\n';
}

/* Whether a record of the exported tables is `line`, where a bar also stands for the end of a line in a cell. */
static bool told(const char *folder, const char *line)
{
    static const char *const names[] = {"interactions.csv", "items.csv"};
    bool found = false;
    for (size_t k = 0; k < 2 && !found; k++) {
        char path[200];
        tdm_map m;
        tdm_err err;
        snprintf(path, sizeof path, "%s/tables/%s", folder, names[k]);
        CHECK_OK(tdm_map_open(&m, path, &err), err);
        size_t n = strlen(line), size = m.n;
        const char *bytes = (const char *)m.p;
        for (size_t at = 0; at + n < size && !found;) {
            const char *end = memchr(bytes + at, '\n', size - at);
            found = same(bytes + at, line, n);
            if (!end) break;
            at = (size_t)(end - bytes) + 1;
        }
        tdm_map_close(&m);
    }
    return found;
}

static const char *shared(void)
{
    const char *named = getenv("TDM_SHARED");
    return named ? named : TDM_SOURCE_DIR "/../shared/data";
}

static char *located(const char *name)
{
    return tdm_path_join(strchr(name, '/') ? shared() : TDM_SOURCE_DIR "/tests/formats/samples", name);
}

static bool check(const format_case *c)
{
    char room[64];
    char *paths[CASE_FILES] = {NULL}, *items = c->items ? located(c->items) : NULL;
    size_t n = 0;
    bool good = true;
    for (; n < CASE_FILES && c->files[n]; n++) paths[n] = located(c->files[n]);
    const char *folder = case_folder(room, sizeof room);
    tdm_options o = {.sources = (const char *const *)paths, .n_sources = n, .items = items, .map = c->map};
    const char *got = case_prepare(folder, &o);
    if (!strncmp(c->want, "refused: ", 9)) good = sentence_has(got, c->want);
    else good = !strcmp(got, c->want);
    if (!good) print_message("%s: expected %s\n    found %s\n", c->files[0], c->want, got);
    bool read = strncmp(got, "refused: ", 9) != 0;
    for (size_t k = 0; read && k < 3 && c->told[k]; k++)
        if (!told(folder, c->told[k])) {
            print_message("%s: no row %s\n", c->files[0], c->told[k]);
            good = false;
        }
    if (getenv("TDM_FORMATS_SHOW") && read) { /* for who writes the table */
        char line[300];
        snprintf(line, sizeof line, "cat %s/tables/*.csv; grep -o '\"format\":[^,]*' %s/dataset/dataset.json", folder,
                 folder);
        print_message("---- %s\n", c->files[0]);
        (void)!system(line);
    }
    case_folder_remove(folder);
    for (size_t k = 0; k < n; k++) tdm_free(paths[k]);
    tdm_free(items);
    return good;
}

void cases_check(const format_case *c, size_t n)
{
    size_t wrong = 0;
    bool here = tdm_folder_exists(shared()), said = false;
    for (size_t k = 0; k < n; k++) {
        if (strchr(c[k].files[0], '/') && !here) {
            if (!said) print_message("no folder of real data (TDM_SHARED): its files were passed over\n");
            said = true;
            continue;
        }
        wrong += !check(&c[k]);
    }
    if (wrong) fail_msg("%zu of %zu files were not read as they should be", wrong, n);
}
