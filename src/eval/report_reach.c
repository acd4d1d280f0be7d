/* SPDX-License-Identifier: Apache-2.0 */
/* report_reach.c - accuracy against what the lists do to the catalogue: a dot for each model over coverage and over
 * novelty, and the long-tail curves. */
#include "eval/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

/* ---- accuracy against another measure ---- */

static size_t spots_find(tdm_spot *s, const cJSON *doc, const char *x, const char *y)
{
    const cJSON *m;
    size_t n = 0;
    cJSON_ArrayForEach(m, of(doc, "models"))
    {
        double vx = tdm_html_value(m, x), vy = tdm_html_value(m, y);
        if (n < TDM_SPOTS && isfinite(vx) && isfinite(vy))
            s[n++] = (tdm_spot){m->string, tdm_html_class(doc, m->string), vx, vy};
    }
    return n;
}

static void scatter(tdm_buf *out, const cJSON *doc, const char *measure, const char *title, const char *words)
{
    const char *main = tdm_json_str(doc, "main", ""), *at = strchr(main, '@');
    char x[48], axis[96];
    tdm_spot s[TDM_SPOTS];
    snprintf(x, sizeof x, "%.20s%.20s", measure, at ? at : "");
    size_t n = spots_find(s, doc, x, main);
    if (!n) return;
    double low = s[0].x, high = s[0].x, most = 0;
    tdm_buf told = {0};
    tdm_buf_fmt(&told, "%s against %s: ", main, x);
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, s[i].x);
        high = fmax(high, s[i].x);
        most = fmax(most, s[i].y);
        tdm_buf_fmt(&told, "%s%s %.4f at %.4g", i ? ", " : "", s[i].name, s[i].y, s[i].x);
    }
    if (!strcmp(measure, "coverage")) low = 0;
    const tdm_plane p = {tdm_axis_make(low, high), tdm_axis_make(0, most), false};
    snprintf(axis, sizeof axis, "%s: %s", x, words);
    tdm_plane_begin(out, &p, title, axis, main, told.p ? told.p : "");
    tdm_plane_spots(out, &p, s, n);
    tdm_plane_end(out);
    tdm_buf_clear(&told);
}

/* ---- long tail ---- */

/* A curve's points, beginning at nothing of nothing; 0 where the lists are not of one length. */
static size_t tail_points(tdm_spot *s, const cJSON *items, const cJSON *shares)
{
    const cJSON *x = items ? items->child : NULL, *y = shares ? shares->child : NULL;
    size_t n = 0;
    s[n++] = (tdm_spot){NULL, "", 0, 0};
    for (; x && y && n < TDM_SPOTS; x = x->next, y = y->next)
        if (cJSON_IsNumber(x) && cJSON_IsNumber(y)) s[n++] = (tdm_spot){NULL, "", x->valuedouble, y->valuedouble};
    return x || y || n < 2 ? 0 : n;
}

/* What the first `items` of the catalogue have, read off a curve's own points; NaN: there is no such point. */
static double tail_at(const cJSON *tail, const cJSON *shares, double items)
{
    tdm_spot s[TDM_SPOTS];
    size_t n = tail_points(s, of(tail, "items"), shares);
    for (size_t i = 1; i < n; i++)
        if (fabs(s[i].x - items) < 1e-9) return s[i].y;
    return NAN;
}

static void tail_plot(tdm_buf *out, const cJSON *doc, const cJSON *tail)
{
    const cJSON *m, *models = of(tail, "models");
    tdm_spot s[TDM_SPOTS];
    const tdm_plane p = {{0, 1, .25}, {0, 1, .25}, true};
    tdm_buf told = {0};
    tdm_buf_fmt(&told, "What the most chosen fifth of the items have: in the data %.0f%%",
                100 * tail_at(tail, of(tail, "data"), .2));
    cJSON_ArrayForEach(m, models)
        tdm_buf_fmt(&told, ", of what %s recommends %.0f%%", m->string, 100 * tail_at(tail, m, .2));
    tdm_plane_begin(out, &p, "Who gets the recommendations", "share of the items, the most recommended first",
                    "share of the recommendations", told.p ? told.p : "");
    for (int marked = 0; marked < 2; marked++) cJSON_ArrayForEach(m, models)
        {
            const char *class = tdm_html_class(doc, m->string);
            if ((*class != 0) == marked) tdm_plane_line(out, &p, class, s, tail_points(s, of(tail, "items"), m), false);
        }
    tdm_plane_line(out, &p, "own", s, tail_points(s, of(tail, "items"), of(tail, "data")), false);
    tdm_plane_end(out);
    tdm_buf_clear(&told);
}

static void tail_row(tdm_buf *out, const cJSON *tail, const cJSON *shares, const char *name, const char *class)
{
    static const double marks[] = {.01, .05, .2};
    tdm_buf_fmt(out, "<tr class=\"%s\"><th scope=\"row\">", class);
    tdm_html_text(out, name);
    tdm_buf_str(out, "</th>");
    for (int i = 0; i < 3; i++) {
        double v = tail_at(tail, shares, marks[i]);
        if (isnan(v)) tdm_buf_str(out, "<td>&ndash;</td>");
        else tdm_buf_fmt(out, "<td>%.1f%%</td>", 100 * v);
    }
    tdm_buf_str(out, "</tr>\n");
}

static void tail_table(tdm_buf *out, const cJSON *doc, const cJSON *tail)
{
    const cJSON *m;
    tdm_buf_str(out, "<div class=\"scroll\"><table><caption>What the items recommended most have of all "
                     "recommendations</caption><thead><tr><th scope=\"col\">Model</th><th scope=\"col\">first 1%</th>"
                     "<th scope=\"col\">5%</th><th scope=\"col\">20%</th></tr></thead>"
                     "<tbody>\n");
    tail_row(out, tail, of(tail, "data"), "the data's own", "own");
    cJSON_ArrayForEach(m, of(tail, "models")) tail_row(out, tail, m, m->string, tdm_html_class(doc, m->string));
    tdm_buf_str(out, "</tbody></table></div>\n");
}

void tdm_report_reach(tdm_buf *out, const cJSON *doc)
{
    const cJSON *tail = of(doc, "long_tail");
    const char *at = strchr(tdm_json_str(doc, "main", ""), '@');
    char coverage[48];
    tdm_spot s[TDM_SPOTS];
    snprintf(coverage, sizeof coverage, "coverage%.20s", at ? at : "");
    if (!spots_find(s, doc, coverage, tdm_json_str(doc, "main", ""))) return;
    tdm_buf_str(out,
                "<section><h2>Beyond the best sellers</h2>\n<p class=\"note\">A list of what everybody knows is easy "
                "to get right and of little use. Further to the right, a model shows more of the catalogue, or items "
                "that fewer people know; further up, it finds more of what people went on to choose.</p>\n"
                "<div class=\"two\"><div>");
    scatter(out, doc, "coverage", "Accuracy and how much of the catalogue is shown", "share of the items in some list");
    tdm_buf_str(out, "</div><div>");
    scatter(out, doc, "novelty", "Accuracy and how little known the items are", "bits");
    tdm_buf_str(out, "</div></div>\n");
    if (cJSON_GetArraySize(of(tail, "models"))) {
        tdm_buf_str(out,
                    "<p class=\"note\">The curves below rise fast where few items get most of the recommendations. "
                    "The dashed one is the data's own: what people chose in training.</p>\n<div class=\"two\"><div>");
        tail_plot(out, doc, tail);
        tdm_buf_str(out, "</div><div>");
        tail_table(out, doc, tail);
        tdm_buf_str(out, "</div></div>\n");
    }
    tdm_buf_str(out, "</section>\n");
}
