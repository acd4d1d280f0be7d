/* SPDX-License-Identifier: Apache-2.0 */
/* report_curves.c - the section on how training went: a line for each curve that a model kept, a sentence for one of a
 * single value. What is no number is passed over, so that an odd file shows what it has. */
#include "eval/report.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 420, HEIGHT = 180, TOP = 16, BOTTOM = 22 };

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

/* The points of a curve, one after another. */
typedef struct walk {
    const cJSON *s, *v;
    double step, value;
} walk;

static walk walk_from(const cJSON *curve)
{
    const cJSON *steps = of(curve, "step"), *values = of(curve, "value");
    return (walk){.s = steps ? steps->child : NULL, .v = values ? values->child : NULL};
}

static bool walk_on(walk *w)
{
    while (w->s && w->v) {
        const cJSON *s = w->s, *v = w->v;
        w->s = s->next;
        w->v = v->next;
        if (!cJSON_IsNumber(s) || !cJSON_IsNumber(v) || !(s->valuedouble >= 0)) continue;
        w->step = s->valuedouble;
        w->value = v->valuedouble;
        return true;
    }
    return false;
}

static double y_of(const tdm_axis *a, double v)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (v - a->low) / (a->high - a->low);
}

static void grid(tdm_buf *out, const tdm_axis *a, double steps)
{
    int lines = (int)((a->high - a->low) / a->step + 0.5);
    for (int i = 0; i <= lines; i++) {
        double v = a->low + i * a->step, y = y_of(a, v);
        tdm_buf_fmt(out, "<line class=\"grid\" x1=\"0\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", WIDTH, y, y);
        tdm_buf_fmt(out, "<text x=\"0\" y=\"%.1f\">%.4g</text>", y - 3, v);
    }
    tdm_buf_fmt(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", WIDTH, HEIGHT - 6);
    tdm_html_count(out, steps);
    tdm_buf_str(out, " updates</text>");
}

static void line(tdm_buf *out, const cJSON *curve, const tdm_axis *a, double steps)
{
    const char *to = "M";
    walk w = walk_from(curve);
    tdm_buf_str(out, "<path class=\"curve\" d=\"");
    for (; walk_on(&w); to = "L") tdm_buf_fmt(out, "%s%.1f %.1f", to, WIDTH * w.step / steps, y_of(a, w.value));
    tdm_buf_str(out, "\"/>");
}

/* "gpt2-items, ndcg@10: 0.021 at first, 0.064 in the end" */
static void caption(tdm_buf *out, const char *model, const char *name, double first, double last)
{
    tdm_html_text(out, model);
    tdm_buf_str(out, ", ");
    tdm_html_text(out, name);
    tdm_buf_fmt(out, ": %.4g at first, %.4g in the end", first, last);
}

static void put_curve(tdm_buf *out, const char *model, const cJSON *curve)
{
    double low = INFINITY, high = -INFINITY, first = 0, steps = 0, last = 0;
    size_t n = 0;
    for (walk w = walk_from(curve); walk_on(&w); n++) {
        if (!n) first = w.value;
        last = w.value;
        low = fmin(low, w.value);
        high = fmax(high, w.value);
        steps = fmax(steps, w.step);
    }
    if (!n) return;
    if (n == 1 || !(steps > 0)) {
        tdm_buf_str(out, "<p>");
        tdm_html_text(out, model);
        tdm_buf_str(out, ", ");
        tdm_html_text(out, curve->string);
        tdm_buf_fmt(out, ": %.4g after ", last);
        tdm_html_count(out, steps);
        tdm_buf_str(out, " updates.</p>\n");
        return;
    }
    const tdm_axis a = tdm_axis_make(low, high);
    tdm_buf_str(out, "<figure class=\"line\"><figcaption>");
    caption(out, model, curve->string, first, last);
    tdm_buf_fmt(out, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    caption(out, model, curve->string, first, last);
    tdm_buf_str(out, "\">");
    grid(out, &a, steps);
    line(out, curve, &a, steps);
    tdm_buf_str(out, "</svg></figure>\n");
}

void tdm_report_curves(tdm_buf *out, const cJSON *doc)
{
    const cJSON *m, *c;
    bool begun = false;
    cJSON_ArrayForEach(m, of(doc, "training")) cJSON_ArrayForEach(c, of(m, "curves"))
    {
        if (!begun)
            tdm_buf_str(out,
                        "<section><h2>How training went</h2>\n<p class=\"note\">Each point is the mean over a stretch "
                        "of updates. The loss is of the training rows, per token; ndcg@10 of the validation people "
                        "who end the training, after each epoch; perplexity of texts held out, in the end.</p>\n"
                        "<div class=\"two\">\n");
        begun = true;
        tdm_buf_str(out, "<div>");
        put_curve(out, m->string ? m->string : "?", c);
        tdm_buf_str(out, "</div>\n");
    }
    if (begun) tdm_buf_str(out, "</div></section>\n");
}
