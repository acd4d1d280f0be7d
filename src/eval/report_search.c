/* SPDX-License-Identifier: Apache-2.0 */
/* report_search.c - the section on how settings were found. For each model: what each trial reached and the best so
 * far, which parameters that hung on, and every trial as a line through its settings, the best third in colour. What
 * has not the form of src/tune/told.h is passed over. */
#include "eval/report.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 420, HEIGHT = 200, TOP = 16, BOTTOM = 24, MOST = 400, SIDE = 92 };

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

/* What a trial reached: its value, or, where it was stopped, what it was judged at last. NaN: nothing. */
static double reached(const cJSON *trial, bool *finished)
{
    double v = tdm_json_num(trial, "value", NAN);
    *finished = !isnan(v);
    const cJSON *j, *judged = of(trial, "judged");
    if (*finished || strncmp(tdm_json_str(trial, "reason", ""), "stopped", 7) != 0) return v;
    cJSON_ArrayForEach(j, judged) v = cJSON_IsNumber(j) ? j->valuedouble : v;
    return v;
}

/* ---- trials in their order ---- */

static double y_of(const tdm_axis *a, double v)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (v - a->low) / (a->high - a->low);
}

static double x_of(double trial, int n) { return 40 + (WIDTH - 48) * (n > 1 ? (trial - 1) / (n - 1) : 0.5); }

static void dots(tdm_buf *out, const cJSON *trials, const tdm_axis *a)
{
    int n = cJSON_GetArraySize(trials), at = 0;
    const cJSON *t;
    cJSON_ArrayForEach(t, trials)
    {
        bool finished;
        double v = reached(t, &finished);
        at++;
        if (isnan(v)) continue;
        tdm_buf_fmt(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", finished ? "trial" : "trial stopped",
                    x_of(at, n), y_of(a, v));
    }
}

static void best_so_far(tdm_buf *out, const cJSON *trials, const tdm_axis *a)
{
    int n = cJSON_GetArraySize(trials), at = 0;
    double best = NAN;
    const cJSON *t;
    tdm_buf_str(out, "<path class=\"curve\" d=\"");
    cJSON_ArrayForEach(t, trials)
    {
        double v = tdm_json_num(t, "value", NAN), x = x_of(++at, n);
        if (isnan(best) && !isnan(v)) tdm_buf_fmt(out, "M%.1f %.1f", x, y_of(a, v));
        else if (!isnan(best)) tdm_buf_fmt(out, "H%.1f", x);
        if (!isnan(best) && v > best) tdm_buf_fmt(out, "V%.1f", y_of(a, v));
        if (isnan(best) || v > best) best = v;
    }
    tdm_buf_str(out, "\"/>");
}

static void history(tdm_buf *out, const cJSON *m)
{
    const cJSON *t, *trials = of(m, "trials");
    double low = INFINITY, high = -INFINITY;
    bool finished;
    cJSON_ArrayForEach(t, trials)
    {
        double v = reached(t, &finished);
        if (isnan(v)) continue;
        low = fmin(low, v);
        high = fmax(high, v);
    }
    if (!(high > low)) return;
    const tdm_axis a = tdm_axis_make(low, high);
    tdm_buf_fmt(out,
                "<figure class=\"line\"><figcaption>What each trial reached, and the best so far</figcaption>"
                "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%d trials, the best %.4f\">",
                WIDTH, HEIGHT, cJSON_GetArraySize(trials), tdm_json_num(m, "value", NAN));
    for (int i = 0, n = (int)((a.high - a.low) / a.step + 0.5); i <= n; i++) {
        double v = a.low + i * a.step, y = y_of(&a, v);
        tdm_buf_fmt(out, "<line class=\"grid\" x1=\"0\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", WIDTH, y, y);
        tdm_buf_fmt(out, "<text x=\"0\" y=\"%.1f\">%.4g</text>", y - 3, v);
    }
    best_so_far(out, trials, &a);
    dots(out, trials, &a);
    tdm_buf_fmt(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%d trials</text></svg></figure>\n", WIDTH, HEIGHT - 6,
                cJSON_GetArraySize(trials));
}

/* ---- parameters ---- */

static void importance(tdm_buf *out, const cJSON *m)
{
    const cJSON *p;
    double most = 0;
    cJSON_ArrayForEach(p, of(m, "parameters")) most = fmax(most, tdm_json_num(p, "importance", 0));
    if (!(most > 0)) return;
    const tdm_axis a = tdm_axis_make(0, 1);
    tdm_plot_begin(out, "What it hung on: the share of the ranks' variance between thirds of a parameter", "parameter",
                   "share");
    cJSON_ArrayForEach(p, of(m, "parameters"))
    {
        double v = tdm_json_num(p, "importance", 0);
        tdm_plot_row(out, &a, p->string, v == most ? "lead" : "", false, v, NAN, NAN, 2);
    }
    tdm_plot_end(out, &a);
}

/* Where a setting lies on its axis, 0 at `from` and 1 at `to`. */
static double share_of(const cJSON *parameter, double v)
{
    double from = tdm_json_num(parameter, "from", 0), to = tdm_json_num(parameter, "to", 1);
    if (!strcmp(tdm_json_str(parameter, "scale", ""), "log")) from = log(from), to = log(to), v = log(v);
    double x = (v - from) / (to - from);
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static double better_than(const cJSON *trials, double v)
{
    double below = 0, n = 0;
    bool finished;
    const cJSON *t;
    cJSON_ArrayForEach(t, trials)
    {
        double other = reached(t, &finished);
        n += !isnan(other);
        below += other < v;
    }
    return n > 0 ? below / n : 0;
}

static void axes(tdm_buf *out, const cJSON *parameters, double gap)
{
    const cJSON *p;
    int d = 0;
    cJSON_ArrayForEach(p, parameters)
    {
        double x = SIDE / 2.0 + gap * d;
        int low = d++ % 2 ? HEIGHT + 4 : HEIGHT - 8; /* neighbours' names on two lines */
        tdm_buf_fmt(out, "<line class=\"zero\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, TOP,
                    HEIGHT - BOTTOM - 12);
        tdm_buf_fmt(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4g</text>", x, TOP - 5,
                    tdm_json_num(p, "to", NAN));
        tdm_buf_fmt(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4g</text>", x, HEIGHT - BOTTOM + 1,
                    tdm_json_num(p, "from", NAN));
        tdm_buf_fmt(out, "<text class=\"value\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x, low);
        tdm_html_text(out, p->string);
        tdm_buf_str(out, "</text>");
    }
}

static void lines(tdm_buf *out, const cJSON *m, bool best, double gap)
{
    const cJSON *t, *p, *trials = of(m, "trials");
    int drawn = 0;
    cJSON_ArrayForEach(t, trials)
    {
        bool finished;
        int d = 0;
        double v = reached(t, &finished);
        if (isnan(v) || (better_than(trials, v) >= 2.0 / 3) != best || drawn++ >= MOST) continue;
        tdm_buf_fmt(out, "<path class=\"%s\" d=\"", best ? "path best" : "path");
        cJSON_ArrayForEach(p, of(m, "parameters"))
        {
            double y = share_of(p, tdm_json_num(of(t, "settings"), p->string, NAN));
            if (isnan(y)) y = 0;
            tdm_buf_fmt(out, "%s%.1f %.1f", d ? "L" : "M", SIDE / 2.0 + gap * d,
                        HEIGHT - BOTTOM - 12 - (HEIGHT - BOTTOM - 12 - TOP) * y);
            d++;
        }
        tdm_buf_str(out, "\"/>");
    }
}

static void parallel(tdm_buf *out, const cJSON *m)
{
    int n = cJSON_GetArraySize(of(m, "parameters"));
    if (n < 2) return;
    int width = n > 4 ? SIDE * n + 10 : WIDTH;
    double gap = (width - SIDE) / (n - 1.0);
    tdm_buf_fmt(out,
                "<figure class=\"line\"><figcaption>Each trial as a line through its settings; in colour the best "
                "third</figcaption><svg style=\"max-width:%dpx\" viewBox=\"0 0 %d %d\" role=\"img\" "
                "aria-label=\"Settings of all trials\">",
                width, width, HEIGHT + 10);
    lines(out, m, false, gap);
    lines(out, m, true, gap);
    axes(out, of(m, "parameters"), gap);
    tdm_buf_str(out, "</svg></figure>\n");
}

void tdm_report_search(tdm_buf *out, const cJSON *doc)
{
    const cJSON *m, *search = of(doc, "search");
    if (!search || !search->child) return;
    tdm_buf_str(out, "<section><h2>How settings were found</h2>\n<p class=\"note\">By trials, judged on the validation "
                     "people who also end trainings; a hollow dot is a trial that was stopped early, at what it was "
                     "judged at last. The figures flatter: the best of many trials is partly luck.</p>\n");
    cJSON_ArrayForEach(m, search)
    {
        double first = tdm_json_num(m, "first", NAN);
        tdm_buf_str(out, "<h3>");
        tdm_html_text(out, m->string);
        tdm_buf_str(out, "</h3>\n<p>");
        tdm_html_text(out, tdm_json_str(m, "metric", "?"));
        if (!isnan(first)) tdm_buf_fmt(out, " %.4f at first,", first);
        tdm_buf_fmt(out,
                    " <strong>%.4f</strong> in trial %.0f of %d, after %.0f s of trials.</p>\n<div class=\"two\"><div>",
                    tdm_json_num(m, "value", NAN), tdm_json_num(m, "best", 0), cJSON_GetArraySize(of(m, "trials")),
                    tdm_json_num(m, "seconds", 0));
        history(out, m);
        tdm_buf_str(out, "</div><div>");
        importance(out, m);
        tdm_buf_str(out, "</div></div>\n");
        parallel(out, m);
    }
    tdm_buf_str(out, "</section>\n");
}
