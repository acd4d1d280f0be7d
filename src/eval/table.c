/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - an evaluation for a terminal: models x metrics, the best of each column marked, then the difference that
 * matters, then the slices. Metrics that do not fit beside each other go into a further block below. */
#include "eval/document.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct table {
    tdm_buf *out;
    const cJSON *doc, *models;
    size_t width, name; /* columns of the terminal; of a model's name */
} table;

static double value_of(const cJSON *model, const char *metric)
{
    return tdm_json_num(cJSON_GetObjectItemCaseSensitive(model, metric), "value", NAN);
}

static bool less_is_better(const char *metric)
{
    return !strcmp(metric, "rmse") || !strcmp(metric, "mae") || !strncmp(metric, "gini", 4);
}

/* Letters of the screen, not bytes. */
static size_t columns_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

/* A name in exactly `room` columns; a longer one loses its beginning. */
static void put_name(tdm_buf *out, const char *name, size_t room)
{
    size_t n = columns_of(name);
    for (; n > room; name++) n -= ((unsigned char)name[0] & 0xc0) != 0x80;
    while (((unsigned char)*name & 0xc0) == 0x80) name++;
    tdm_buf_fmt(out, "%s%*s", name, (int)(room - n), "");
}

/* 22363 as "22,363". */
static void put_count(tdm_buf *out, double v)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%.0f", v);
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) tdm_buf_char(out, ',');
        tdm_buf_char(out, digits[i]);
    }
}

/* ---- what was judged ---- */

static void put_heading(const table *t)
{
    const cJSON *d = cJSON_GetObjectItemCaseSensitive(t->doc, "dataset");
    tdm_buf *out = t->out;
    put_count(out, tdm_json_num(t->doc, "people", 0));
    tdm_buf_fmt(out, " people judged on %s; ", tdm_json_str(t->doc, "on", "test"));
    put_count(out, tdm_json_num(d, "users", 0));
    tdm_buf_str(out, " people, ");
    put_count(out, tdm_json_num(d, "items", 0));
    tdm_buf_str(out, " items, ");
    put_count(out, tdm_json_num(d, "interactions", 0));
    tdm_buf_fmt(out, " interactions in all\nsplit %s, ties %s, seen %s; the whole catalogue is ranked\n",
                tdm_json_str(t->doc, "split", "?"), tdm_json_str(t->doc, "ties", "?"),
                tdm_json_str(t->doc, "seen", "?"));
}

/* ---- models x metrics ---- */

typedef struct column {
    char metric[32];
    double best;
    size_t width;
    bool interval;
} column;

/* The columns that some model has, at the main cutoff. */
static size_t columns_find(column *c, const table *t)
{
    static const char *const order[] = {"ndcg", "recall", "precision", "f1",        "map",      "mrr",  "hit",
                                        "rmse", "mae",    "novelty",   "diversity", "coverage", "gini", NULL};
    const char *at = strchr(tdm_json_str(t->doc, "main", "ndcg@10"), '@');
    size_t n = 0;
    for (int i = 0; order[i]; i++) {
        bool error = !strcmp(order[i], "rmse") || !strcmp(order[i], "mae");
        snprintf(c[n].metric, sizeof c[n].metric, "%.16s%.10s", order[i], error || !at ? "" : at);
        c[n].best = NAN;
        c[n].interval = i == 0 || !strcmp(order[i], "rmse");
        const cJSON *m;
        cJSON_ArrayForEach(m, t->models)
        {
            double v = value_of(m, c[n].metric), best = c[n].best;
            if (!isnan(v) && (isnan(best) || (less_is_better(c[n].metric) ? v < best : v > best))) c[n].best = v;
        }
        c[n].width = strlen(c[n].metric) + 2 > 9 ? strlen(c[n].metric) + 2 : 9;
        if (c[n].interval) c[n].width += 15;
        n += !isnan(c[n].best);
    }
    return n;
}

static void put_cell(tdm_buf *out, const cJSON *model, const column *c)
{
    const cJSON *e = cJSON_GetObjectItemCaseSensitive(model, c->metric);
    double v = tdm_json_num(e, "value", NAN), low = tdm_json_num(e, "low", NAN), high = tdm_json_num(e, "high", NAN);
    char text[64] = "- ", range[48] = "";
    if (!isnan(v)) snprintf(text, sizeof text, "%.4f%c", v, v == c->best ? '*' : ' ');
    if (c->interval && !isnan(low)) snprintf(range, sizeof range, "%.4f-%.4f", low, high);
    tdm_buf_fmt(out, "%*s", (int)(c->interval ? c->width - 15 : c->width), text);
    if (c->interval) tdm_buf_fmt(out, " %-14s", range);
}

static void put_block(const table *t, const column *c, size_t n)
{
    put_name(t->out, "\nmodel", t->name + 1);
    for (size_t i = 0; i < n; i++) {
        tdm_buf_fmt(t->out, "%*s ", (int)(c[i].interval ? c[i].width - 16 : c[i].width - 1), c[i].metric);
        if (c[i].interval) tdm_buf_fmt(t->out, " %-14s", "95% interval");
    }
    const cJSON *m;
    cJSON_ArrayForEach(m, t->models)
    {
        tdm_buf_char(t->out, '\n');
        put_name(t->out, m->string, t->name);
        for (size_t i = 0; i < n; i++) put_cell(t->out, m, &c[i]);
    }
    tdm_buf_char(t->out, '\n');
}

static void put_models(const table *t)
{
    column c[16];
    size_t n = columns_find(c, t);
    for (size_t i = 0, end; i < n; i = end) {
        size_t width = t->name + c[i].width;
        for (end = i + 1; end < n && width + c[end].width <= t->width; end++) width += c[end].width;
        put_block(t, c + i, end - i);
    }
    if (n) tdm_buf_str(t->out, "* the best of its column\n");
    const cJSON *m;
    cJSON_ArrayForEach(m, t->models)
    {
        double missing = tdm_json_num(m, "unrated", 0);
        if (!(missing > 0)) continue;
        tdm_buf_fmt(t->out, "%s could not predict ", m->string);
        put_count(t->out, missing);
        tdm_buf_str(t->out, " of ");
        put_count(t->out, missing + tdm_json_num(m, "rated", 0));
        tdm_buf_str(t->out, " held-out ratings\n");
    }
}

/* ---- the subject against the others ---- */

static void put_p(tdm_buf *out, double p)
{
    if (p < 0.001) tdm_buf_str(out, "p < 0.001");
    else tdm_buf_fmt(out, "p = %.3f", p);
}

static void put_comparisons(const table *t)
{
    const char *subject = tdm_json_str(t->doc, "subject", NULL), *best = tdm_json_str(t->doc, "best_part", NULL);
    if (!subject || !best) return;
    const cJSON *c;
    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(t->doc, "comparisons"))
    {
        if (strcmp(tdm_json_str(c, "b", ""), best)) continue;
        tdm_buf_fmt(t->out, "\n%s minus %s, %s: %+.4f (95%% %+.4f to %+.4f), ", subject, best,
                    tdm_json_str(c, "metric", "?"), tdm_json_num(c, "difference", NAN), tdm_json_num(c, "low", NAN),
                    tdm_json_num(c, "high", NAN));
        put_p(t->out, tdm_json_num(c, "p", NAN));
        if (!tdm_json_bool(c, "significant", false)) tdm_buf_str(t->out, ": not significant");
    }
    size_t others = 0;
    cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(t->doc, "comparisons"))
    {
        bool shown = !strcmp(tdm_json_str(c, "b", ""), best);
        if (shown || tdm_json_bool(c, "significant", false)) continue;
        tdm_buf_fmt(t->out, "%s %s (%s)", others++ ? "," : "\nno significant difference to", tdm_json_str(c, "b", "?"),
                    tdm_json_str(c, "metric", "?"));
    }
    tdm_buf_char(t->out, '\n');
}

/* ---- slices ---- */

static void put_slices(const table *t)
{
    const char *main = tdm_json_str(t->doc, "main", "ndcg@10"),
               *shown[3] = {tdm_json_str(t->doc, "subject", NULL), tdm_json_str(t->doc, "best_part", NULL),
                            "popularity"};
    const cJSON *slices = cJSON_GetObjectItemCaseSensitive(t->doc, "slices"), *kind, *s;
    if (!cJSON_GetObjectItemCaseSensitive(t->models, "popularity")) shown[2] = NULL;
    if (shown[1] && shown[2] && !strcmp(shown[1], shown[2])) shown[2] = NULL;
    cJSON_ArrayForEach(kind, slices)
    {
        bool history = !strcmp(kind->string, "history");
        if (!kind->child) continue;
        tdm_buf_fmt(t->out, "\n%-9s by %-14s  people", main, history ? "history length" : "kind of target");
        for (int i = 0; i < 3; i++)
            if (shown[i]) tdm_buf_fmt(t->out, "  %12.*s", (int)strlen(shown[i]), shown[i]);
        tdm_buf_char(t->out, '\n');
        cJSON_ArrayForEach(s, kind)
        {
            const cJSON *models = cJSON_GetObjectItemCaseSensitive(s, "models");
            tdm_buf_fmt(t->out, "  %-24s  %8.0f", s->string, tdm_json_num(s, "people", 0));
            for (int i = 0; i < 3; i++) {
                if (!shown[i]) continue;
                double v = value_of(cJSON_GetObjectItemCaseSensitive(models, shown[i]), main);
                int width = strlen(shown[i]) > 12 ? (int)strlen(shown[i]) : 12;
                if (isnan(v)) tdm_buf_fmt(t->out, "  %*s", width, "-");
                else tdm_buf_fmt(t->out, "  %*.4f", width, v);
            }
            tdm_buf_char(t->out, '\n');
        }
    }
}

tdm_status tdm_evaluation_table(tdm_buf *out, const cJSON *document, size_t width, tdm_err *err)
{
    table t = {.out = out, .doc = document, .width = width ? width : 80, .name = 6};
    t.models = cJSON_GetObjectItemCaseSensitive(document, "models");
    if (!cJSON_IsObject(t.models)) return tdm_fail(err, TDM_E_FORMAT, "this is no evaluation: it has no \"models\"");
    const cJSON *m;
    cJSON_ArrayForEach(m, t.models)
    {
        if (columns_of(m->string) > t.name) t.name = columns_of(m->string);
    }
    if (t.name > t.width / 3 + 6) t.name = t.width / 3 + 6;
    put_heading(&t);
    put_models(&t);
    put_comparisons(&t);
    put_slices(&t);
    return out->failed ? tdm_nomem(err, "a table") : TDM_OK;
}
