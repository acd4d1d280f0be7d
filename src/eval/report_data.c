/* SPDX-License-Identifier: Apache-2.0 */
/* report_data.c - the section on the data: what to know of it, how it is spread, and what was read. The figures are
 * those of the health table; docs/data.md says what each is. A key that is not there is passed over, so that the table
 * of an older folder still shows what it has. */
#include "eval/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

static bool has(const cJSON *o) { return cJSON_IsObject(o) && o->child; }

/* ---- charts ---- */

/* A bar for each number of an object; `more` is HTML beside the caption. `skip`: without the empty ones it begins with.
 */
static void bars(tdm_buf *out, const char *caption, const char *more, const cJSON *counts, bool skip)
{
    double most = 0;
    const cJSON *v, *first = has(counts) ? counts->child : NULL;
    cJSON_ArrayForEach(v, counts) most = fmax(most, cJSON_IsNumber(v) ? v->valuedouble : 0);
    while (skip && first && first->valuedouble == 0) first = first->next;
    if (!first || !(most > 0)) return;
    tdm_buf_str(out, "<table class=\"bars\"><caption>");
    tdm_html_text(out, caption);
    tdm_buf_fmt(out, " <span>%s</span></caption><tbody>\n", more);
    for (v = first; v; v = v->next) {
        double share = cJSON_IsNumber(v) ? fmax(v->valuedouble, 0) / most : 0;
        tdm_buf_str(out, "<tr><th scope=\"row\">");
        for (const char *c = v->string; *c; c++) /* ranges are set with a dash */
            if (*c == '-' && skip) tdm_buf_str(out, "&ndash;");
            else tdm_html_text(out, (char[2]){*c, 0});
        tdm_buf_fmt(out, "</th><td><i style=\"width:%.2f%%\"></i></td><td>", 100 * share);
        tdm_html_count(out, cJSON_IsNumber(v) ? v->valuedouble : 0);
        tdm_buf_str(out, "</td></tr>\n");
    }
    tdm_buf_str(out, "</tbody></table>\n");
}

static void spread(tdm_buf *out, const char *caption, const cJSON *s)
{
    tdm_buf more = {0};
    tdm_buf_fmt(&more, "mean %.1f, median %.10g, most ", tdm_json_num(s, "mean", 0), tdm_json_num(s, "median", 0));
    tdm_html_count(&more, tdm_json_num(s, "most", 0));
    if (!more.failed) bars(out, caption, more.p, of(s, "histogram"), true);
    tdm_buf_clear(&more);
}

/* Columns over time; of many only some are named. */
static void time_line(tdm_buf *out, const cJSON *line)
{
    enum { WIDTH = 420, HEIGHT = 170, TOP = 20, BOTTOM = 24 };
    const cJSON *v, *counts = of(line, "counts");
    int n = has(counts) ? cJSON_GetArraySize(counts) : 0, k = 0;
    int named = strcmp(tdm_json_str(line, "unit", ""), "year") ? 4 : 6, every = (n + named - 1) / named;
    double most = 0, room = n ? (double)WIDTH / n : WIDTH;
    const cJSON *top = NULL;
    cJSON_ArrayForEach(v, counts) if (v->valuedouble > most) most = v->valuedouble, top = v;
    if (!top) return;
    tdm_buf_str(out, "<figure class=\"line\"><figcaption>Interactions by ");
    tdm_html_text(out, tdm_json_str(line, "unit", "time"));
    tdm_buf_str(out, ": most in ");
    tdm_html_text(out, top->string);
    tdm_buf_str(out, ", ");
    tdm_html_count(out, most);
    tdm_buf_fmt(out, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    cJSON_ArrayForEach(v, counts)
    {
        tdm_html_text(out, v->string);
        tdm_buf_fmt(out, " %.0f%s", v->valuedouble, v->next ? ", " : "");
    }
    tdm_buf_str(out, "\">");
    cJSON_ArrayForEach(v, counts)
    {
        double tall = (HEIGHT - TOP - BOTTOM) * v->valuedouble / most, x = room * k;
        if (v->valuedouble > 0)
            tdm_buf_fmt(out, "<rect class=\"bar\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>",
                        x + room * 0.1, HEIGHT - BOTTOM - tall, room * 0.8, tall);
        if (k % every == 0) {
            tdm_buf_fmt(out, "<text x=\"%.2f\" y=\"%d\" text-anchor=\"%s\">", k ? x + room / 2 : x, HEIGHT - 6,
                        k ? "middle" : "start");
            tdm_html_text(out, v->string);
            tdm_buf_str(out, "</text>");
        }
        k++;
    }
    tdm_buf_fmt(out, "<line class=\"zero\" x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/></svg></figure>\n", WIDTH,
                HEIGHT - BOTTOM, HEIGHT - BOTTOM);
}

static void history_columns(tdm_buf *out, const cJSON *doc)
{
    const cJSON *s;
    const char *names[8];
    double values[8];
    size_t n = 0;
    cJSON_ArrayForEach(s, of(of(doc, "slices"), "history"))
    {
        if (n == 8) break;
        names[n] = s->string;
        values[n++] = tdm_json_num(s, "people", 0);
    }
    if (n) tdm_plot_columns(out, "Judged people by length of history", names, values, n);
}

/* ---- tables ---- */

static void row_begin(tdm_buf *out, const char *name)
{
    tdm_buf_str(out, "<tr><th scope=\"row\">");
    tdm_html_text(out, name);
    tdm_buf_str(out, "</th><td>");
}

static void count_row(tdm_buf *out, const char *name, double v)
{
    if (isnan(v)) return;
    row_begin(out, name);
    tdm_html_count(out, v);
    tdm_buf_str(out, "</td></tr>\n");
}

static void percent(tdm_buf *out, double share)
{
    double p = 100 * share;
    tdm_buf_fmt(out, "%.*f%%", p == 0 || p >= 99.95 ? 0 : p < 1 ? 2 : 1, p);
}

static void percent_row(tdm_buf *out, const char *name, double share)
{
    if (isnan(share)) return;
    row_begin(out, name);
    percent(out, share);
    tdm_buf_str(out, "</td></tr>\n");
}

static void reading_table(tdm_buf *out, const cJSON *h)
{
    const cJSON *r;
    tdm_buf_str(out, "<table><caption>What was read, and what became of it</caption><tbody>\n");
    count_row(out, "rows read", tdm_json_num(h, "rows_read", NAN));
    cJSON_ArrayForEach(r, of(h, "rejected"))
    {
        char name[96];
        snprintf(name, sizeof name, "rejected: %.80s", r->string ? r->string : "?");
        if (r->valuedouble > 0) count_row(out, name, r->valuedouble);
    }
    count_row(out, "exact duplicates left out", tdm_json_num(h, "duplicates", NAN));
    if (tdm_json_num(h, "below_min_rating", 0) > 0)
        count_row(out, "below --min-rating", tdm_json_num(h, "below_min_rating", NAN));
    count_row(out, "interactions", tdm_json_num(h, "interactions", NAN));
    count_row(out, "people", tdm_json_num(h, "users", NAN));
    count_row(out, "items", tdm_json_num(h, "items", NAN));
    count_row(out, "items with a title", tdm_json_num(h, "items_with_title", NAN));
    count_row(out, "items that share a title", tdm_json_num(of(h, "same_titles"), "items", NAN));
    count_row(out, "repeated person-item pairs", tdm_json_num(h, "repeated_pairs", NAN));
    count_row(out, "people with ties in time", tdm_json_num(h, "users_with_time_ties", NAN));
    count_row(out, "people at implausible rates", tdm_json_num(of(h, "bots"), "users", NAN));
    percent_row(out, "interactions with a text", tdm_json_num(h, "text_coverage", NAN));
    tdm_buf_str(out, "</tbody></table>\n");
}

static void tail_table(tdm_buf *out, const cJSON *h)
{
    const cJSON *p = of(h, "popularity"), *v;
    if (!has(p)) return;
    tdm_buf_str(out, "<table><caption>The long tail</caption><tbody>\n");
    percent_row(out, "share of all person-item pairs", tdm_json_num(h, "density", NAN));
    percent_row(out, "interactions of the most popular 1% of items", tdm_json_num(p, "top_1_percent", NAN));
    percent_row(out, "interactions of the most popular 10%", tdm_json_num(p, "top_10_percent", NAN));
    count_row(out, "items chosen once", tdm_json_num(p, "single", NAN));
    row_begin(out, "Gini of popularity");
    tdm_buf_fmt(out, "%.3f</td></tr>\n", tdm_json_num(p, "gini", 0));
    cJSON_ArrayForEach(v, of(h, "text_languages"))
    {
        char name[96];
        if (!strcmp(v->string, "unknown")) snprintf(name, sizeof name, "texts too short to tell the language of");
        else snprintf(name, sizeof name, "texts in %.60s", !strcmp(v->string, "other") ? "other languages" : v->string);
        percent_row(out, name, v->valuedouble);
    }
    tdm_buf_str(out, "</tbody></table>\n");
}

static void core_table(tdm_buf *out, const cJSON *h)
{
    const cJSON *c;
    double N = tdm_json_num(h, "interactions", 0);
    if (!has(of(h, "core"))) return;
    tdm_buf_str(out,
                "<table><caption>What is left when people and items with fewer interactions are taken away until there "
                "are none</caption><thead><tr><th scope=\"col\">With at least</th><th scope=\"col\">People</th>"
                "<th scope=\"col\">Items</th><th scope=\"col\">Interactions</th><th></th></tr></thead><tbody>\n");
    cJSON_ArrayForEach(c, of(h, "core"))
    {
        row_begin(out, c->string);
        tdm_html_count(out, tdm_json_num(c, "users", 0));
        tdm_buf_str(out, "</td><td>");
        tdm_html_count(out, tdm_json_num(c, "items", 0));
        tdm_buf_str(out, "</td><td>");
        tdm_html_count(out, tdm_json_num(c, "interactions", 0));
        tdm_buf_str(out, "</td><td>");
        percent(out, N > 0 ? tdm_json_num(c, "interactions", 0) / N : 0);
        tdm_buf_str(out, "</td></tr>\n");
    }
    tdm_buf_str(out, "</tbody></table>\n");
}

static void warnings(tdm_buf *out, const cJSON *list)
{
    const cJSON *w;
    if (!cJSON_GetArraySize(list)) return;
    tdm_buf_str(out, "<ul class=\"know\">\n");
    cJSON_ArrayForEach(w, list)
    {
        tdm_buf_str(out, "<li>");
        tdm_html_text(out, cJSON_GetStringValue(w));
        tdm_buf_str(out, "</li>\n");
    }
    tdm_buf_str(out, "</ul>\n");
}

void tdm_report_data(tdm_buf *out, const cJSON *doc)
{
    const cJSON *h = of(doc, "health");
    if (!has(h) && !has(of(of(doc, "slices"), "history"))) return;
    tdm_buf_str(out, "<section><h2>The data</h2>\n");
    warnings(out, of(h, "warnings"));
    tdm_buf_str(out, "<div class=\"two\"><div>");
    spread(out, "People by how much they chose", of(h, "history"));
    tdm_buf_str(out, "</div><div>");
    spread(out, "Items by how often they were chosen", of(h, "popularity"));
    tdm_buf_str(out, "</div><div>");
    bars(out, "Ratings given", "", of(h, "ratings"), false);
    tdm_buf_str(out, "</div><div>");
    time_line(out, of(h, "time_line"));
    tdm_buf_str(out, "</div></div>\n<div class=\"two\"><div>");
    if (has(h)) reading_table(out, h);
    history_columns(out, doc);
    tdm_buf_str(out, "</div><div>");
    tail_table(out, h);
    core_table(out, h);
    tdm_buf_str(out, "</div></div></section>\n");
}
