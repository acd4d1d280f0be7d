/* SPDX-License-Identifier: Apache-2.0 */
/* report_plane.c - pictures with two axes. They scale as a whole, so letters are a little smaller on a phone. */
#include "eval/report.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 440, HEIGHT = 300, LEFT = 42, RIGHT = 20, TOP = 26, BOTTOM = 40, RADIUS = 5 };

static double x_of(const tdm_plane *p, double v)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (v - p->x.low) / (p->x.high - p->x.low);
}

static double y_of(const tdm_plane *p, double v)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (v - p->y.low) / (p->y.high - p->y.low);
}

static int steps(const tdm_axis *a) { return (int)((a->high - a->low) / a->step + 0.5); }

static void mark(tdm_buf *out, const tdm_axis *a, int i, bool percent)
{
    double v = a->low + i * a->step;
    if (fabs(v) < a->step * 1e-6) v = 0; /* no "-0" */
    tdm_buf_fmt(out, percent ? "%.4g%%</text>" : "%.4g</text>", percent ? 100 * v : v);
}

void tdm_plane_begin(tdm_buf *out, const tdm_plane *p, const char *title, const char *x_name, const char *y_name,
                     const char *told)
{
    tdm_buf_str(out, "<figure class=\"plane\"><figcaption>");
    tdm_html_text(out, title);
    tdm_buf_fmt(out, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    tdm_html_text(out, told);
    tdm_buf_str(out, "\">");
    for (int i = 0; i <= steps(&p->y); i++) {
        double y = y_of(p, p->y.low + i * p->y.step);
        tdm_buf_fmt(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH - RIGHT, y,
                    y);
        tdm_buf_fmt(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 7, y + 4);
        mark(out, &p->y, i, p->percent);
    }
    for (int i = 0; i <= steps(&p->x); i++) {
        double x = x_of(p, p->x.low + i * p->x.step);
        tdm_buf_fmt(out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, TOP,
                    HEIGHT - BOTTOM);
        tdm_buf_fmt(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x, HEIGHT - BOTTOM + 16);
        mark(out, &p->x, i, p->percent);
    }
    tdm_buf_fmt(out, "<text class=\"axis\" x=\"0\" y=\"11\">");
    tdm_html_text(out, y_name);
    tdm_buf_fmt(out, "</text><text class=\"axis\" x=\"%d\" y=\"%d\" text-anchor=\"end\">", WIDTH - RIGHT, HEIGHT - 5);
    tdm_html_text(out, x_name);
    tdm_buf_str(out, "</text>");
}

void tdm_plane_end(tdm_buf *out) { tdm_buf_str(out, "</svg></figure>\n"); }

void tdm_plane_line(tdm_buf *out, const tdm_plane *p, const char *class, const tdm_spot *spot, size_t n, bool dots)
{
    tdm_buf_fmt(out, "<g class=\"%s\"><path class=\"curve\" d=\"", class);
    for (size_t i = 0; i < n; i++)
        tdm_buf_fmt(out, "%s%.1f %.1f", i ? "L" : "M", x_of(p, spot[i].x), y_of(p, spot[i].y));
    tdm_buf_str(out, "\"/>");
    for (size_t i = 0; dots && i < n; i++)
        tdm_buf_fmt(out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", x_of(p, spot[i].x),
                    y_of(p, spot[i].y));
    tdm_buf_str(out, "</g>");
}

/* ---- dots with names ---- */

typedef struct box {
    double left, top, right, bottom;
} box;

/* Where a name may stand: offset from the dot, and what of the text is there (-1 its end, 0 its middle, 1 its start).
 */
static const struct {
    double x, y;
    int anchor;
} places[] = {{9, 4, 1},    {-9, 4, -1},  {0, -10, 0}, {0, 19, 0}, {8, -7, 1},   {8, 15, 1},
              {-8, -7, -1}, {-8, 15, -1}, {0, -22, 0}, {0, 31, 0}, {14, -18, 1}, {14, 26, 1}};

enum { PLACES = sizeof places / sizeof *places };

static double covers(const box *a, const box *b)
{
    double w = fmin(a->right, b->right) - fmax(a->left, b->left);
    double h = fmin(a->bottom, b->bottom) - fmax(a->top, b->top);
    return w > 0 && h > 0 ? w * h : 0;
}

static box text_box(double x, double y, int anchor, const char *name)
{
    double width = 6.6 * (double)strlen(name), left = anchor > 0 ? x : anchor < 0 ? x - width : x - width / 2;
    return (box){left - 1, y - 10, left + width + 1, y + 3};
}

/* What a name in this place would cover of the dots, of the names before it, and of what is outside the picture. */
static double cost(const box *t, const box *dot, size_t n, const box *name, size_t named)
{
    double sum = 20 * (fmax(0, LEFT - t->left) + fmax(0, t->right - WIDTH) + fmax(0, TOP - 8 - t->top) +
                       fmax(0, t->bottom - (HEIGHT - BOTTOM)));
    for (size_t i = 0; i < n; i++) sum += covers(t, &dot[i]);
    for (size_t i = 0; i < named; i++) sum += covers(t, &name[i]);
    return sum;
}

static void spot_name(tdm_buf *out, const tdm_plane *p, const tdm_spot *s, const box *dot, size_t n, box *name,
                      size_t named)
{
    static const char *const anchors[] = {"end", "middle", "start"};
    double x = x_of(p, s->x), y = y_of(p, s->y), least = INFINITY;
    size_t best = 0;
    for (size_t k = 0; k < PLACES && least > 0; k++) {
        box t = text_box(x + places[k].x, y + places[k].y, places[k].anchor, s->name);
        double c = cost(&t, dot, n, name, named);
        if (c >= least) continue;
        least = c;
        best = k;
        name[named] = t;
    }
    tdm_buf_fmt(out, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x + places[best].x,
                y + places[best].y, anchors[places[best].anchor + 1]);
    tdm_html_text(out, s->name);
    tdm_buf_str(out, "</text>");
}

void tdm_plane_spots(tdm_buf *out, const tdm_plane *p, const tdm_spot *spot, size_t n)
{
    box dot[TDM_SPOTS], name[TDM_SPOTS];
    size_t named = 0;
    if (n > TDM_SPOTS) n = TDM_SPOTS;
    for (size_t i = 0; i < n; i++) {
        double x = x_of(p, spot[i].x), y = y_of(p, spot[i].y);
        dot[i] = (box){x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS};
    }
    for (int marked = 1; marked >= 0; marked--) /* the marked ones choose their places first */
        for (size_t i = 0; i < n; i++) {
            if ((*spot[i].class != 0) != marked) continue;
            tdm_buf_fmt(out, "<g class=\"%s\"><circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"%d\"/>", spot[i].class,
                        x_of(p, spot[i].x), y_of(p, spot[i].y), RADIUS);
            spot_name(out, p, &spot[i], dot, n, name, named++);
            tdm_buf_str(out, "</g>");
        }
}
