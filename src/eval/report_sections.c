/* SPDX-License-Identifier: Apache-2.0 */
/* report_sections.c - each part of the report from the evaluation's document. A part without data writes nothing. */
#include "eval/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

static void heading(tdm_buf *out, const char *title, const char *text)
{
    tdm_buf_fmt(out, "<section><h2>%s</h2>\n", title);
    if (text) tdm_buf_fmt(out, "<p class=\"note\">%s</p>\n", text);
}

/* ---- models ---- */

typedef struct ranked {
    const cJSON *model;
    double value;
    int place;
} ranked;

static int better(const void *x, const void *y)
{
    const ranked *a = x, *b = y;
    if (a->value != b->value) return a->value < b->value ? 1 : -1;
    return a->place - b->place;
}

/* Models that have the main figure, the best first. */
static size_t ranked_models(ranked *r, size_t room, const cJSON *doc)
{
    const cJSON *m;
    size_t n = 0;
    cJSON_ArrayForEach(m, of(doc, "models"))
    {
        double v = tdm_html_value(m, tdm_json_str(doc, "main", ""));
        if (!isnan(v) && n < room) {
            r[n] = (ranked){m, v, (int)n};
            n++;
        }
    }
    qsort(r, n, sizeof *r, better);
    return n;
}

static void main_plot(tdm_buf *out, const cJSON *doc)
{
    const char *main = tdm_json_str(doc, "main", "");
    ranked r[64];
    size_t n = ranked_models(r, 64, doc);
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        double high = tdm_json_num(of(r[i].model, main), "high", r[i].value);
        most = high > most ? high : most;
    }
    if (!n) return;
    tdm_axis a = tdm_axis_make(0, most);
    char caption[128];
    snprintf(caption, sizeof caption, "%s of each model, the best first; the whiskers are 95%% intervals", main);
    tdm_plot_begin(out, caption, "Model", main);
    tdm_buf_str(out, "<tbody>\n");
    for (size_t i = 0; i < n; i++) {
        const cJSON *e = of(r[i].model, main);
        tdm_plot_row(out, &a, r[i].model->string, tdm_html_class(doc, r[i].model->string), false, r[i].value,
                     tdm_json_num(e, "low", NAN), tdm_json_num(e, "high", NAN), 4);
    }
    tdm_buf_str(out, "</tbody>");
    tdm_plot_end(out, &a);
}

static double best_of(const cJSON *models, const char *metric)
{
    double best = NAN;
    const cJSON *m;
    cJSON_ArrayForEach(m, models)
    {
        double v = tdm_html_value(m, metric);
        if (isnan(v)) continue;
        if (isnan(best) || (tdm_metric_less_is_better(metric) ? v < best : v > best)) best = v;
    }
    return best;
}

static void cell(tdm_buf *out, const cJSON *model, const char *metric, double best)
{
    const cJSON *e = of(model, metric);
    double v = tdm_json_num(e, "value", NAN), low = tdm_json_num(e, "low", NAN), high = tdm_json_num(e, "high", NAN);
    if (isnan(v)) {
        tdm_buf_str(out, "<td>&ndash;</td>");
        return;
    }
    tdm_buf_fmt(out, "<td%s", v == best ? " class=\"best\"" : "");
    if (!isnan(low)) tdm_buf_fmt(out, " title=\"95%% interval %.4f to %.4f\"", low, high);
    tdm_buf_fmt(out, ">%.4f</td>", v);
}

/* One table of models x the metrics in `names` at "@k"; k NULL: without. */
static void metric_table(tdm_buf *out, const cJSON *doc, const char *caption, const char *const *names, const char *k)
{
    const cJSON *models = of(doc, "models"), *m;
    char metric[48];
    tdm_buf_fmt(out, "<div class=\"scroll\"><table><caption>%s</caption><thead><tr><th scope=\"col\">Model</th>",
                caption);
    for (int i = 0; names[i]; i++) {
        snprintf(metric, sizeof metric, "%s%s", names[i], k);
        if (!isnan(best_of(models, metric))) tdm_buf_fmt(out, "<th scope=\"col\">%s</th>", metric);
    }
    tdm_buf_str(out, "</tr></thead><tbody>\n");
    cJSON_ArrayForEach(m, models)
    {
        tdm_buf_fmt(out, "<tr class=\"%s\"><th scope=\"row\">", tdm_html_class(doc, m->string));
        tdm_html_text(out, m->string);
        tdm_buf_str(out, "</th>");
        for (int i = 0; names[i]; i++) {
            snprintf(metric, sizeof metric, "%s%s", names[i], k);
            double best = best_of(models, metric);
            if (!isnan(best)) cell(out, m, metric, best);
        }
        tdm_buf_str(out, "</tr>\n");
    }
    tdm_buf_str(out, "</tbody></table></div>\n");
}

static const char *const accuracy[] = {"ndcg", "recall", "precision", "f1", "map", "mrr", "hit", NULL};
static const char *const catalogue[] = {"coverage", "gini", "novelty", "diversity", NULL};
static const char *const errors[] = {"rmse", "mae", NULL};

static void unrated(tdm_buf *out, const cJSON *doc)
{
    const cJSON *m;
    cJSON_ArrayForEach(m, of(doc, "models"))
    {
        double missing = tdm_json_num(m, "unrated", 0);
        if (!(missing > 0)) continue;
        tdm_buf_str(out, "<p class=\"note\">");
        tdm_html_text(out, m->string);
        tdm_buf_str(out, " could not predict ");
        tdm_html_count(out, missing);
        tdm_buf_str(out, " of ");
        tdm_html_count(out, missing + tdm_json_num(m, "rated", 0));
        tdm_buf_str(out, " held-out ratings.</p>\n");
    }
}

void tdm_report_models(tdm_buf *out, const cJSON *doc)
{
    const char *main = strchr(tdm_json_str(doc, "main", "@10"), '@');
    char k[32], title[96];
    heading(out, "Every model, one measure", NULL);
    main_plot(out, doc);
    tdm_buf_str(out, "</section>\n");
    heading(
        out, "All figures",
        "The best of each column is marked. Where an interval was made, the figure's tooltip has it; report.json has "
        "all of them.");
    metric_table(out, doc, "Are the held-out items in the list, and how far up?", accuracy, main);
    metric_table(out, doc, "What the lists do to the catalogue", catalogue, main);
    if (!isnan(best_of(of(doc, "models"), "rmse"))) {
        metric_table(out, doc, "Predicted against given ratings", errors, "");
        unrated(out, doc);
    }
    const cJSON *c;
    cJSON_ArrayForEach(c, of(doc, "cutoffs"))
    {
        snprintf(k, sizeof k, "@%.0f", c->valuedouble);
        if (!strcmp(k, main)) continue;
        snprintf(title, sizeof title, "The first %.0f instead", c->valuedouble);
        tdm_buf_fmt(out, "<details><summary>%s</summary>\n", title);
        metric_table(out, doc, "Held-out items in the list", accuracy, k);
        metric_table(out, doc, "What the lists do to the catalogue", catalogue, k);
        tdm_buf_str(out, "</details>\n");
    }
    tdm_buf_str(out, "</section>\n");
}

/* ---- comparisons ---- */

static void put_p(tdm_buf *out, double p)
{
    if (p < 0.001) tdm_buf_str(out, "&lt; 0.001");
    else tdm_buf_fmt(out, "%.3f", p);
}

static void comparison_plot(tdm_buf *out, const cJSON *doc, const char *metric)
{
    const cJSON *c, *all = of(doc, "comparisons");
    double low = 0, high = 0;
    size_t n = 0;
    cJSON_ArrayForEach(c, all)
    {
        if (strcmp(tdm_json_str(c, "metric", ""), metric)) continue;
        double v = tdm_json_num(c, "difference", 0);
        low = fmin(low, tdm_json_num(c, "low", v));
        high = fmax(high, tdm_json_num(c, "high", v));
        n++;
    }
    if (!n) return;
    tdm_axis a = tdm_axis_make(low, high);
    if (a.low == 0) a.low = -a.step; /* room on both sides of no difference */
    if (a.high == 0) a.high = a.step;
    char caption[160];
    snprintf(caption, sizeof caption, "%s: %.60s minus each other model%s", metric, tdm_json_str(doc, "subject", "?"),
             tdm_metric_less_is_better(metric) ? " (below zero is better)" : "");
    tdm_plot_begin(out, caption, "Other model", "Difference");
    tdm_buf_str(out, "<tbody>\n");
    cJSON_ArrayForEach(c, all)
    {
        if (strcmp(tdm_json_str(c, "metric", ""), metric)) continue;
        double v = tdm_json_num(c, "difference", NAN);
        bool sure = tdm_json_bool(c, "significant", false), good = tdm_metric_less_is_better(metric) ? v < 0 : v > 0;
        char name[128];
        snprintf(name, sizeof name, "%.100s%s", tdm_json_str(c, "b", "?"), sure ? "" : " (n.s.)");
        tdm_plot_row(out, &a, name,
                     !sure  ? ""
                     : good ? "up"
                            : "down",
                     true, v, tdm_json_num(c, "low", NAN), tdm_json_num(c, "high", NAN), 4);
    }
    tdm_buf_str(out, "</tbody>");
    tdm_plot_end(out, &a);
}

void tdm_report_comparisons(tdm_buf *out, const cJSON *doc)
{
    const cJSON *c, *all = of(doc, "comparisons");
    if (!cJSON_GetArraySize(all)) return;
    heading(out, "Is it more than its parts?",
            "The same people, both models. A whisker that crosses zero, or a note n.s. (not significant), means the "
            "difference may be luck.");
    double labels = tdm_json_num(of(doc, "fusion"), "labels", 0);
    if (labels > 0) {
        tdm_buf_str(out, "<p class=\"note\">The hybrid's weights were learned from ");
        tdm_html_count(out, labels);
        tdm_buf_str(out, " validation people; the single models were fitted without them.</p>\n");
    }
    const char *last = "";
    cJSON_ArrayForEach(c, all)
    {
        const char *metric = tdm_json_str(c, "metric", "");
        if (strcmp(metric, last)) comparison_plot(out, doc, metric);
        last = metric;
    }
    tdm_buf_str(out, "<details><summary>As a table, with p</summary><div class=\"scroll\"><table><thead><tr>"
                     "<th scope=\"col\">Against</th><th scope=\"col\">Metric</th><th scope=\"col\">Difference</th>"
                     "<th scope=\"col\">95% interval</th><th scope=\"col\">p (Holm)</th><th scope=\"col\">People</th>"
                     "</tr></thead><tbody>\n");
    cJSON_ArrayForEach(c, all)
    {
        tdm_buf_str(out, "<tr><th scope=\"row\">");
        tdm_html_text(out, tdm_json_str(c, "b", "?"));
        tdm_buf_fmt(out, "</th><td>%s</td><td>%+.4f</td><td>%+.4f to %+.4f</td><td>", tdm_json_str(c, "metric", ""),
                    tdm_json_num(c, "difference", NAN), tdm_json_num(c, "low", NAN), tdm_json_num(c, "high", NAN));
        put_p(out, tdm_json_num(c, "p", NAN));
        tdm_buf_str(out, "</td><td>");
        tdm_html_count(out, tdm_json_num(c, "people", 0));
        tdm_buf_str(out, "</td></tr>\n");
    }
    tdm_buf_str(out, "</tbody></table></div></details></section>\n");
}

/* ---- slices ---- */

typedef struct shown {
    const char *name[3];
    size_t n;
} shown;

static shown shown_models(const cJSON *doc)
{
    shown s = {.n = 0};
    const char *want[] = {tdm_json_str(doc, "subject", NULL), tdm_json_str(doc, "best_part", NULL), "popularity"};
    for (int i = 0; i < 3; i++) {
        bool there = want[i] && of(of(doc, "models"), want[i]);
        for (size_t k = 0; k < s.n; k++) there = there && strcmp(s.name[k], want[i]) != 0;
        if (there) s.name[s.n++] = want[i];
    }
    return s;
}

static void slice_plot(tdm_buf *out, const cJSON *doc, const cJSON *kind, const char *caption, const shown *s)
{
    const char *main = tdm_json_str(doc, "main", "");
    const cJSON *one;
    double most = 0;
    cJSON_ArrayForEach(one, kind) for (size_t i = 0; i < s->n; i++)
    {
        const cJSON *e = of(of(of(one, "models"), s->name[i]), main);
        most = fmax(most, tdm_json_num(e, "high", tdm_json_num(e, "value", 0)));
    }
    if (!cJSON_GetArraySize(kind)) return;
    tdm_axis a = tdm_axis_make(0, most);
    tdm_plot_begin(out, caption, "", main);
    cJSON_ArrayForEach(one, kind)
    {
        tdm_buf_str(out, "<tbody class=\"group\">\n");
        for (size_t i = 0; i < s->n; i++) {
            const cJSON *e = of(of(of(one, "models"), s->name[i]), main);
            tdm_buf row = {0};
            tdm_plot_row(&row, &a, NULL, tdm_html_class(doc, s->name[i]), false, tdm_json_num(e, "value", NAN),
                         tdm_json_num(e, "low", NAN), tdm_json_num(e, "high", NAN), 4);
            const char *cells = row.p ? strstr(row.p, "<td") : NULL;
            if (cells && i) tdm_buf_add(out, row.p, row.n);
            else if (cells) { /* the first row carries the name of the group */
                tdm_buf_add(out, row.p, (size_t)(cells - row.p));
                tdm_buf_fmt(out, "<th scope=\"rowgroup\" rowspan=\"%zu\">%s<span>", s->n, one->string);
                tdm_html_count(out, tdm_json_num(one, "people", 0));
                tdm_buf_str(out, tdm_json_num(one, "people", 0) == 1 ? " person</span></th>" : " people</span></th>");
                tdm_buf_str(out, cells);
            }
            tdm_buf_clear(&row);
        }
        tdm_buf_str(out, "</tbody>\n");
    }
    tdm_plot_end(out, &a);
}

void tdm_report_slices(tdm_buf *out, const cJSON *doc)
{
    const cJSON *slices = of(doc, "slices");
    shown s = shown_models(doc);
    if (!cJSON_GetArraySize(of(slices, "history")) || !s.n) return;
    heading(
        out, "For whom, and for what",
        "head: the fifth of the catalogue with the most training interactions; tail: all other items; new: items that "
        "nobody had in training. Each person's other held-out items do not count there.");
    tdm_buf_str(out, "<ul class=\"key\">");
    for (size_t i = 0; i < s.n; i++) {
        tdm_buf_fmt(out, "<li class=\"%s\">", tdm_html_class(doc, s.name[i]));
        tdm_html_text(out, s.name[i]);
        tdm_buf_str(out, "</li>");
    }
    tdm_buf_str(out, "</ul><div class=\"two\">");
    tdm_buf_str(out, "<div>");
    slice_plot(out, doc, of(slices, "history"), "By the length of the person's history", &s);
    tdm_buf_str(out, "</div><div>");
    slice_plot(out, doc, of(slices, "target"), "By the kind of the held-out item", &s);
    tdm_buf_str(out, "</div></div></section>\n");
}

/* ---- fusion ---- */

void tdm_report_fusion(tdm_buf *out, const cJSON *doc)
{
    const cJSON *fusion = of(doc, "fusion"), *m;
    double low = 0, high = 0;
    size_t n = 0;
    cJSON_ArrayForEach(m, of(fusion, "models"))
    {
        double v = tdm_json_num(m, "weight", NAN);
        if (isnan(v)) continue;
        low = fmin(low, v);
        high = fmax(high, v);
        n++;
    }
    if (!n) return;
    bool network = !strcmp(tdm_json_str(fusion, "kind", ""), "network");
    heading(out, "What the fusion learned",
            network ? "The weight of each model's opinion where weights are fixed. The network that ranks began from "
                      "these and sets them anew for each item, by what all models say of it. Two models that say the "
                      "same share their weight, so a small one is no verdict on a model."
                    : "The weight of each model's opinion before it is adjusted to the item and to the length of the "
                      "history. Two models that say the same share their weight, so a small one is no verdict on a "
                      "model.");
    double labels = tdm_json_num(fusion, "labels", 0);
    tdm_axis a = tdm_axis_make(low, high);
    tdm_buf caption = {0};
    tdm_buf_str(&caption, "Weights, learned from ");
    tdm_html_count(&caption, labels);
    tdm_buf_str(&caption, " validation people");
    tdm_plot_begin(out, caption.p ? caption.p : "", "Model", "Weight");
    tdm_buf_clear(&caption);
    tdm_buf_str(out, "<tbody>\n");
    cJSON_ArrayForEach(m, of(fusion, "models"))
    {
        double v = tdm_json_num(m, "weight", NAN);
        if (!isnan(v))
            tdm_plot_row(out, &a, tdm_json_str(m, "name", "?"), v < 0 ? "down" : "up", false, v, NAN, NAN, 3);
    }
    tdm_buf_str(out, "</tbody>");
    tdm_plot_end(out, &a);
    tdm_buf_str(out, "</section>\n");
}

/* ---- cost ---- */

static void put_seconds(tdm_buf *out, double s)
{
    if (isnan(s)) tdm_buf_str(out, "<td>&ndash;</td>");
    else if (s < 120) tdm_buf_fmt(out, "<td>%.1f s</td>", s);
    else tdm_buf_fmt(out, "<td>%.1f min</td>", s / 60);
}

void tdm_report_cost(tdm_buf *out, const cJSON *doc)
{
    const cJSON *training = of(doc, "training"), *models = of(doc, "models"), *m;
    heading(out, "What it cost",
            "Measured on the machine that trained it, so these change from run to run. Peak memory is of "
            "the whole program while that model was fitted.");
    tdm_buf_str(out, "<table><thead><tr><th scope=\"col\">Model</th><th scope=\"col\">Training</th>"
                     "<th scope=\"col\">Peak memory</th><th scope=\"col\">Judging</th></tr></thead><tbody>\n");
    cJSON_ArrayForEach(m, models)
    {
        const cJSON *t = of(training, m->string);
        double bytes = tdm_json_num(t, "peak_memory", NAN);
        tdm_buf_fmt(out, "<tr class=\"%s\"><th scope=\"row\">", tdm_html_class(doc, m->string));
        tdm_html_text(out, m->string);
        tdm_buf_str(out, "</th>");
        put_seconds(out, tdm_json_num(t, "seconds", NAN));
        if (isnan(bytes)) tdm_buf_str(out, "<td>&ndash;</td>");
        else tdm_buf_fmt(out, "<td>%.0f MB</td>", bytes / 1e6);
        put_seconds(out, tdm_json_num(m, "evaluation_seconds", NAN));
        tdm_buf_str(out, "</tr>\n");
    }
    tdm_buf_str(out, "</tbody></table></section>\n");
}
