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
    tdm_buf_fmt(out, " interactions in all\nsplit %s, ties %s, seen %s; ", tdm_json_str(t->doc, "split", "?"),
                tdm_json_str(t->doc, "ties", "?"), tdm_json_str(t->doc, "seen", "?"));
    double items = tdm_json_num(d, "items", 0), candidates = tdm_json_num(t->doc, "candidates", items),
           newest = tdm_json_num(t->doc, "newest", 0);
    if (candidates < items) {
        put_count(out, candidates);
        tdm_buf_fmt(out, " items nobody chose in training are ranked, and chance finds %.4f in ten\n", 10 / candidates);
    } else tdm_buf_str(out, "the whole catalogue is ranked\n");
    double diversity = tdm_json_num(t->doc, "diversity", 0);
    if (diversity > 0) tdm_buf_fmt(out, "lists made with diversity %g\n", diversity);
    if (newest > 0) tdm_buf_fmt(out, "asked with the newest %.0f of each history alone\n", newest);
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

static void put_comparison(const table *t, const cJSON *c)
{
    tdm_buf_fmt(t->out, "\n%s minus %s, %s: %+.4f (95%% %+.4f to %+.4f), ", tdm_json_str(c, "a", "?"),
                tdm_json_str(c, "b", "?"), tdm_json_str(c, "metric", "?"), tdm_json_num(c, "difference", NAN),
                tdm_json_num(c, "low", NAN), tdm_json_num(c, "high", NAN));
    put_p(t->out, tdm_json_num(c, "p", NAN));
    if (!tdm_json_bool(c, "significant", false)) tdm_buf_str(t->out, ": not significant");
}

/* Rankings against the best other ranking, ratings against the best other ratings: whom the figure is compared with. */
static const char *rival(const table *t, const char *metric)
{
    const char *best = tdm_json_str(t->doc, "best_part", ""), *subject = tdm_json_str(t->doc, "subject", "");
    if (strcmp(metric, "rmse")) return best;
    double least = NAN;
    const cJSON *m;
    cJSON_ArrayForEach(m, t->models)
    {
        double v = value_of(m, metric);
        if (!strcmp(m->string, subject) || isnan(v) || v >= least) continue; /* NaN is beaten by all */
        least = v;
        best = m->string;
    }
    return best;
}

static void put_comparisons(const table *t)
{
    const cJSON *c, *all = cJSON_GetObjectItemCaseSensitive(t->doc, "comparisons");
    size_t others = 0;
    cJSON_ArrayForEach(c, all)
    {
        if (!strcmp(tdm_json_str(c, "b", ""), rival(t, tdm_json_str(c, "metric", "")))) put_comparison(t, c);
    }
    cJSON_ArrayForEach(c, all)
    {
        bool shown = !strcmp(tdm_json_str(c, "b", ""), rival(t, tdm_json_str(c, "metric", "")));
        if (shown || tdm_json_bool(c, "significant", false)) continue;
        tdm_buf_fmt(t->out, "%s %s (%s)", others++ ? "," : "\nno significant difference to", tdm_json_str(c, "b", "?"),
                    tdm_json_str(c, "metric", "?"));
    }
    if (cJSON_GetArraySize(all)) tdm_buf_char(t->out, '\n');
}

/* The hybrid without some of its parts. */
static void put_ablation(const table *t)
{
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(t->doc, "ablation"), *w;
    const char *main = tdm_json_str(t->doc, "main", "ndcg@10");
    if (!all) return;
    tdm_buf_fmt(t->out, "\nthe hybrid without some of its parts, %s, ", main);
    put_count(t->out, tdm_json_num(all, "people", 0));
    tdm_buf_str(t->out, " people");
    cJSON_ArrayForEach(w, cJSON_GetObjectItemCaseSensitive(all, "without"))
    {
        const cJSON *c = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(w, "change"), main);
        tdm_buf_fmt(t->out, "\n%-16s %.4f, %+.4f (95%% %+.4f to %+.4f), ", w->string, value_of(w, main),
                    tdm_json_num(c, "difference", NAN), tdm_json_num(c, "low", NAN), tdm_json_num(c, "high", NAN));
        put_p(t->out, tdm_json_num(c, "p", NAN));
        if (!tdm_json_bool(c, "significant", false)) tdm_buf_str(t->out, ": not significant");
    }
    tdm_buf_char(t->out, '\n');
}

/* ---- slices ---- */

typedef struct shown {
    const char *name[3];
    size_t n, width;
} shown;

/* The subject, its best part, and the floor: each once. */
static shown shown_models(const table *t)
{
    shown s = {.width = 12};
    const char *want[] = {tdm_json_str(t->doc, "subject", NULL), tdm_json_str(t->doc, "best_part", NULL), "popularity"};
    for (int i = 0; i < 3; i++) {
        bool there = want[i] && cJSON_GetObjectItemCaseSensitive(t->models, want[i]);
        for (size_t k = 0; k < s.n; k++) there = there && strcmp(s.name[k], want[i]) != 0;
        if (!there) continue;
        s.name[s.n++] = want[i];
        if (columns_of(want[i]) > s.width) s.width = columns_of(want[i]) > 20 ? 20 : columns_of(want[i]);
    }
    return s;
}

static void put_slice(const table *t, const cJSON *slice, const char *main, const shown *s)
{
    const cJSON *models = cJSON_GetObjectItemCaseSensitive(slice, "models");
    tdm_buf_fmt(t->out, "  %-20s %8.0f", slice->string, tdm_json_num(slice, "people", 0));
    for (size_t i = 0; i < s->n; i++) {
        double v = value_of(cJSON_GetObjectItemCaseSensitive(models, s->name[i]), main);
        if (isnan(v)) tdm_buf_fmt(t->out, "  %*s", (int)s->width, "-");
        else tdm_buf_fmt(t->out, "  %*.4f", (int)s->width, v);
    }
    tdm_buf_char(t->out, '\n');
}

static void put_slices(const table *t)
{
    const char *main = tdm_json_str(t->doc, "main", "ndcg@10");
    const cJSON *kind, *one;
    shown s = shown_models(t);
    cJSON_ArrayForEach(kind, cJSON_GetObjectItemCaseSensitive(t->doc, "slices"))
    {
        if (!kind->child) continue;
        tdm_buf_fmt(t->out, "\n%s by %-*s %8s", main, (int)(18 - strlen(main)),
                    !strcmp(kind->string, "history") ? "history" : "target", "people");
        for (size_t i = 0; i < s.n; i++) {
            size_t n = columns_of(s.name[i]) < s.width ? columns_of(s.name[i]) : s.width;
            tdm_buf_fmt(t->out, "  %*s", (int)(s.width - n), "");
            put_name(t->out, s.name[i], n);
        }
        tdm_buf_char(t->out, '\n');
        cJSON_ArrayForEach(one, kind) put_slice(t, one, main, &s);
    }
}

/* ---- cold start ---- */

/* Each model's recall, and how many times `what` it is. */
static void put_recalls(const table *t, const cJSON *models, const char *times, const char *what)
{
    char recall[32];
    const char *at = strchr(tdm_json_str(t->doc, "main", "@10"), '@');
    const cJSON *m;
    snprintf(recall, sizeof recall, "recall%.20s", at ? at : "@10");
    cJSON_ArrayForEach(m, models)
    {
        const cJSON *e = cJSON_GetObjectItemCaseSensitive(m, recall);
        double v = tdm_json_num(e, "value", NAN), low = tdm_json_num(e, "low", NAN), x = tdm_json_num(m, times, NAN);
        if (isnan(v)) continue;
        put_name(t->out, m->string, t->name);
        tdm_buf_fmt(t->out, "  %.4f", v);
        if (!isnan(low)) tdm_buf_fmt(t->out, " %.4f-%.4f", low, tdm_json_num(e, "high", NAN));
        if (!isnan(x)) tdm_buf_fmt(t->out, " %6.1f times %s", x, what);
        tdm_buf_char(t->out, '\n');
    }
}

static void put_cold(const table *t)
{
    const cJSON *chance = cJSON_GetObjectItemCaseSensitive(t->doc, "chance"),
                *click = cJSON_GetObjectItemCaseSensitive(t->doc, "one_click");
    const char *at = strchr(tdm_json_str(t->doc, "main", "@10"), '@');
    if (chance && chance->child) {
        tdm_buf_fmt(t->out, "\n%s among items nobody chose in training\n", chance->child->string);
        put_recalls(t, t->models, "times_chance", "chance");
    }
    if (!click) return;
    tdm_buf_fmt(t->out, "\nrecall%s with one click, ", at ? at : "@10");
    put_count(t->out, tdm_json_num(click, "people", 0));
    tdm_buf_str(t->out, " people\n");
    put_recalls(t, cJSON_GetObjectItemCaseSensitive(click, "models"), chance ? "times_chance" : "times_popularity",
                chance ? "chance" : "popularity");
}

/* ---- the sentences ---- */

static void put_perplexity(const table *t, const cJSON *p)
{
    double own = tdm_json_num(p, "gpt2", 0), other = tdm_json_num(p, "gpt2_other_prompt", 0);
    if (!(own > 0)) return;
    tdm_buf_fmt(t->out, "perplexity of %.0f tokens of %.0f held-out reviews: GPT-2 %.2f", tdm_json_num(p, "tokens", 0),
                tdm_json_num(p, "reviews", 0), own);
    if (other > 0) tdm_buf_fmt(t->out, ", with another pair's prompt %.2f", other);
    tdm_buf_fmt(t->out, ";\n%.0f-grams (Kneser-Ney) %.2f\n", tdm_json_num(p, "kneser_ney_order", 0),
                tdm_json_num(p, "kneser_ney", 0));
}

static void put_text(const table *t)
{
    const cJSON *kind, *m, *text = cJSON_GetObjectItemCaseSensitive(t->doc, "text"),
                           *texts = cJSON_GetObjectItemCaseSensitive(text, "texts"),
                           *counts = cJSON_GetObjectItemCaseSensitive(text, "counts");
    if (!texts || !texts->child) return;
    tdm_buf_fmt(t->out, "\nsentences for %.0f people, beside what they wrote themselves\n%-12s",
                tdm_json_num(text, "people", 0), "");
    cJSON_ArrayForEach(m, texts->child) tdm_buf_fmt(t->out, " %10s", m->string);
    cJSON_ArrayForEach(kind, texts)
    {
        tdm_buf_fmt(t->out, "\n%-12s", kind->string);
        cJSON_ArrayForEach(m, kind) tdm_buf_fmt(t->out, " %10.4f", m->valuedouble);
    }
    tdm_buf_fmt(t->out, "\nby rouge@l the best are: %s; GPT-2 wrote %.0f, %.0f are plain evidence\n",
                tdm_json_str(text, "best", "?"), tdm_json_num(counts, "gpt2", 0), tdm_json_num(counts, "evidence", 0));
    tdm_buf_fmt(t->out, "shown by default: %s\n", tdm_json_str(text, "shown", "generated"));
    put_perplexity(t, cJSON_GetObjectItemCaseSensitive(text, "perplexity"));
}

/* ---- before the second fit ---- */

static void put_before(const table *t)
{
    char recall[32];
    const char *main = tdm_json_str(t->doc, "main", "ndcg@10"), *at = strchr(main, '@');
    const cJSON *m, *before = cJSON_GetObjectItemCaseSensitive(t->doc, "before");
    snprintf(recall, sizeof recall, "recall%.20s", at ? at : "@10");
    if (!before || !before->child) return;
    tdm_buf_fmt(t->out, "\nfitted again with the validation rows; before it, and now\n%-*s  %9s  %9s  %9s  %9s\n",
                (int)t->name, "", recall, "now", main, "now");
    cJSON_ArrayForEach(m, before)
    {
        const cJSON *now = cJSON_GetObjectItemCaseSensitive(t->models, m->string);
        const char *metric[] = {recall, main};
        put_name(t->out, m->string, t->name);
        for (int i = 0; i < 2; i++)
            for (int is = 0; is < 2; is++) {
                double v = value_of(is ? now : m, metric[i]);
                if (isnan(v)) tdm_buf_fmt(t->out, "  %9s", "-");
                else tdm_buf_fmt(t->out, "  %9.4f", v);
            }
        double was = value_of(m, "rmse"), is = value_of(now, "rmse");
        if (!isnan(was) && !isnan(is)) tdm_buf_fmt(t->out, "  rmse %.4f, now %.4f", was, is);
        tdm_buf_char(t->out, '\n');
    }
}

/* ---- the search for settings ---- */

static void put_search(const table *t)
{
    const cJSON *m, *search = cJSON_GetObjectItemCaseSensitive(t->doc, "search");
    if (search && search->child) tdm_buf_str(t->out, "\nsettings searched for, judged on validation people\n");
    cJSON_ArrayForEach(m, search)
    {
        double first = tdm_json_num(m, "first", NAN);
        put_name(t->out, m->string, t->name);
        if (isnan(first)) tdm_buf_str(t->out, "       -");
        else tdm_buf_fmt(t->out, "  %.4f", first);
        tdm_buf_fmt(t->out, " to %.4f (%s) in trial %.0f of %d, %.0f s\n", tdm_json_num(m, "value", NAN),
                    tdm_json_str(m, "metric", "?"), tdm_json_num(m, "best", 0),
                    cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(m, "trials")), tdm_json_num(m, "seconds", 0));
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
    put_ablation(&t);
    put_slices(&t);
    put_cold(&t);
    put_text(&t);
    put_before(&t);
    put_search(&t);
    return out->failed ? tdm_nomem(err, "a table") : TDM_OK;
}
