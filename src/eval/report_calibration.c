/* SPDX-License-Identifier: Apache-2.0 */
/* report_calibration.c - predicted against given ratings, group by group, for each model that rates. */
#include "eval/report.h"

#include <math.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

static size_t points(tdm_spot *s, const cJSON *groups)
{
    const cJSON *g;
    size_t n = 0;
    cJSON_ArrayForEach(g, groups)
    {
        double x = tdm_json_num(g, "predicted", NAN), y = tdm_json_num(g, "given", NAN);
        if (n < TDM_SPOTS && isfinite(x) && isfinite(y)) s[n++] = (tdm_spot){NULL, "", x, y};
    }
    return n;
}

/* The model beside the subject whose error is the least. */
static const char *best_other(const cJSON *doc)
{
    const char *best = "";
    double least = INFINITY;
    const cJSON *m;
    cJSON_ArrayForEach(m, of(doc, "calibration"))
    {
        double v = tdm_html_value(of(of(doc, "models"), m->string), "rmse");
        if (!strcmp(m->string, tdm_json_str(doc, "subject", "")) || !(v < least)) continue;
        least = v;
        best = m->string;
    }
    return best;
}

static const char *class_of(const cJSON *doc, const char *model)
{
    if (!strcmp(model, tdm_json_str(doc, "subject", ""))) return "lead";
    return strcmp(model, best_other(doc)) ? "" : "second";
}

/* By how much the groups' means are off, each weighing as its ratings do. */
static double off(const cJSON *groups)
{
    const cJSON *g;
    double sum = 0, n = 0;
    cJSON_ArrayForEach(g, groups)
    {
        double r = tdm_json_num(g, "ratings", 0);
        sum += r * fabs(tdm_json_num(g, "predicted", 0) - tdm_json_num(g, "given", 0));
        n += r;
    }
    return n > 0 ? sum / n : NAN;
}

static void plot(tdm_buf *out, const cJSON *doc, double low, double high)
{
    const cJSON *m;
    tdm_spot s[TDM_SPOTS];
    const tdm_plane p = {tdm_axis_make(low, high), tdm_axis_make(low, high), false};
    const tdm_spot straight[] = {{NULL, "", p.x.low, p.x.low}, {NULL, "", p.x.high, p.x.high}};
    tdm_buf told = {0};
    tdm_buf_str(&told, "Mean distance of predicted and given rating over the groups");
    cJSON_ArrayForEach(m, of(doc, "calibration")) tdm_buf_fmt(&told, ", %s %.3f", m->string, off(m));
    tdm_plane_begin(out, &p, "Ratings as predicted and as given", "predicted, mean of the group", "given, mean",
                    told.p ? told.p : "");
    tdm_plane_line(out, &p, "own", straight, 2, false);
    for (int marked = 0; marked < 2; marked++) cJSON_ArrayForEach(m, of(doc, "calibration"))
        {
            const char *class = class_of(doc, m->string);
            if ((*class != 0) == marked) tdm_plane_line(out, &p, class, s, points(s, m), marked);
        }
    tdm_plane_end(out);
    tdm_buf_clear(&told);
}

static void table(tdm_buf *out, const cJSON *doc)
{
    const cJSON *m;
    tdm_buf_str(out, "<div class=\"scroll\"><table><caption>Mean predicted and mean given rating</caption><thead><tr>"
                     "<th scope=\"col\">Model</th><th scope=\"col\">lowest group</th>"
                     "<th scope=\"col\">highest</th><th scope=\"col\">off by</th></tr></thead><tbody>\n");
    cJSON_ArrayForEach(m, of(doc, "calibration"))
    {
        tdm_spot s[TDM_SPOTS];
        size_t n = points(s, m);
        if (!n) continue;
        tdm_buf_fmt(out, "<tr class=\"%s\"><th scope=\"row\">", class_of(doc, m->string));
        tdm_html_text(out, m->string);
        tdm_buf_fmt(out, "</th><td>%.2f, %.2f</td><td>%.2f, %.2f</td><td>%.3f</td></tr>\n", s[0].x, s[0].y, s[n - 1].x,
                    s[n - 1].y, off(m));
    }
    tdm_buf_str(out, "</tbody></table></div>\n");
}

void tdm_report_calibration(tdm_buf *out, const cJSON *doc)
{
    const cJSON *m;
    tdm_spot s[TDM_SPOTS];
    double low = INFINITY, high = -INFINITY;
    cJSON_ArrayForEach(m, of(doc, "calibration"))
    {
        size_t n = points(s, m);
        for (size_t i = 0; i < n; i++) {
            low = fmin(low, fmin(s[i].x, s[i].y));
            high = fmax(high, fmax(s[i].x, s[i].y));
        }
    }
    if (!(low <= high)) return;
    tdm_buf_str(out,
                "<section><h2>Does a predicted four mean four?</h2>\n<p class=\"note\">Held-out ratings in groups of "
                "one size by what a model predicted. On the dashed line people gave, in the mean, what was "
                "predicted; a flat curve is too sure of its differences, a steep one not sure enough. Off by: the "
                "mean distance from the line.</p>\n<div class=\"two\"><div>");
    plot(out, doc, low, high);
    tdm_buf_str(out, "</div><div>");
    table(out, doc);
    tdm_buf_str(out, "</div></div></section>\n");
}
