/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void tdm_html_text(tdm_buf *out, const char *s)
{
    for (; s && *s; s++) switch (*s) {
        case '<':
            tdm_buf_str(out, "&lt;");
            break;
        case '>':
            tdm_buf_str(out, "&gt;");
            break;
        case '&':
            tdm_buf_str(out, "&amp;");
            break;
        case '"':
            tdm_buf_str(out, "&quot;");
            break;
        default:
            tdm_buf_char(out, *s);
        }
}

void tdm_html_count(tdm_buf *out, double v)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%.0f", v);
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0 && digits[i - 1] != '-') tdm_buf_char(out, ',');
        tdm_buf_char(out, digits[i]);
    }
}

const char *tdm_html_class(const cJSON *doc, const char *model)
{
    if (!strcmp(model, tdm_json_str(doc, "subject", ""))) return "lead";
    return strcmp(model, tdm_json_str(doc, "best_part", "")) ? "" : "second";
}

double tdm_html_value(const cJSON *model, const char *metric)
{
    return tdm_json_num(cJSON_GetObjectItemCaseSensitive(model, metric), "value", NAN);
}

bool tdm_metric_less_is_better(const char *metric)
{
    return !strcmp(metric, "rmse") || !strcmp(metric, "mae") || !strncmp(metric, "gini", 4);
}

tdm_axis tdm_axis_make(double low, double high)
{
    if (!(high > low)) high = low + 1;
    double rough = (high - low) / 4, power = pow(10, floor(log10(rough)));
    double step = power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10);
    return (tdm_axis){step * floor(low / step + 1e-9), step * ceil(high / step - 1e-9), step};
}

static double at(const tdm_axis *a, double v) { return 100 * (v - a->low) / (a->high - a->low); }

static int steps(const tdm_axis *a) { return (int)((a->high - a->low) / a->step + 0.5); }

void tdm_plot_begin(tdm_buf *out, const char *caption, const char *names, const char *values)
{
    tdm_buf_str(out, "<table class=\"plot-table\"><caption>");
    tdm_html_text(out, caption);
    tdm_buf_fmt(out, "</caption><thead><tr><th scope=\"col\">%s</th><td></td><th scope=\"col\">%s</th></tr></thead>\n",
                names, values);
}

void tdm_plot_end(tdm_buf *out, const tdm_axis *a)
{
    tdm_buf_str(out, "<tfoot aria-hidden=\"true\"><tr class=\"axis\"><td></td><td class=\"plot\"><svg height=\"20\">");
    for (int i = 0; i <= steps(a); i++) {
        double v = a->low + i * a->step;
        if (fabs(v) < a->step * 1e-6) v = 0; /* no "-0" */
        tdm_buf_fmt(out, "<text x=\"%.3f%%\" y=\"14\" text-anchor=\"middle\">%.4g</text>", at(a, v), v);
    }
    tdm_buf_str(out, "</svg></td><td></td></tr></tfoot></table>\n");
}

static void mark(tdm_buf *out, const tdm_axis *a, bool dot, double value, double low, double high, int middle)
{
    if (isnan(value)) return;
    if (dot) tdm_buf_fmt(out, "<circle class=\"dot\" cx=\"%.3f%%\" cy=\"%d\" r=\"5\"/>", at(a, value), middle);
    else {
        double from = at(a, value < 0 ? value : 0), to = at(a, value < 0 ? 0 : value);
        tdm_buf_fmt(out, "<rect class=\"bar\" x=\"%.3f%%\" width=\"%.3f%%\" y=\"%d\" height=\"14\" rx=\"2\"/>", from,
                    to - from, middle - 7);
    }
    if (isnan(low) || isnan(high)) return;
    tdm_buf_fmt(out, "<line class=\"whisker\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%d\" y2=\"%d\"/>", at(a, low),
                at(a, high), middle, middle);
    for (int end = 0; end < 2; end++) {
        double x = at(a, end ? high : low);
        tdm_buf_fmt(out, "<line class=\"whisker\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%d\" y2=\"%d\"/>", x, x, middle - 4,
                    middle + 4);
    }
}

void tdm_plot_row(tdm_buf *out, const tdm_axis *a, const char *name, const char *class, bool dot, double value,
                  double low, double high, int digits)
{
    enum { HEIGHT = 28 };
    const char *sign = a->low < 0 ? "+" : "";
    tdm_buf_fmt(out, "<tr class=\"%s\">", class);
    if (name) {
        tdm_buf_str(out, "<th scope=\"row\">");
        tdm_html_text(out, name);
        tdm_buf_str(out, "</th>");
    }
    tdm_buf_fmt(out, "<td class=\"plot\"><svg height=\"%d\" aria-hidden=\"true\">", HEIGHT);
    for (int i = 0; i <= steps(a); i++) {
        double x = at(a, a->low + i * a->step);
        bool zero = fabs(a->low + i * a->step) < a->step * 1e-6;
        tdm_buf_fmt(out, "<line class=\"%s\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"0\" y2=\"%d\"/>", zero ? "zero" : "grid",
                    x, x, HEIGHT);
    }
    mark(out, a, dot, value, low, high, HEIGHT / 2);
    tdm_buf_str(out, "</svg></td><td class=\"num\">");
    if (isnan(value)) tdm_buf_str(out, "&ndash;");
    else tdm_buf_fmt(out, *sign ? "%+.*f" : "%.*f", digits, value);
    if (!isnan(low) && !isnan(high))
        tdm_buf_fmt(out,
                    *sign ? " <span class=\"ci\">%+.*f to %+.*f</span>" : " <span class=\"ci\">%.*f&ndash;%.*f</span>",
                    digits, low, digits, high);
    tdm_buf_str(out, "</td></tr>\n");
}

void tdm_plot_columns(tdm_buf *out, const char *title, const char *const *names, const double *values, size_t n)
{
    enum { WIDTH = 420, HEIGHT = 190, TOP = 22, BOTTOM = 26 };
    double most = 0, room = (double)WIDTH / (double)(n ? n : 1), bar = room * 0.68 < 64 ? room * 0.68 : 64;
    for (size_t i = 0; i < n; i++) most = values[i] > most ? values[i] : most;
    tdm_buf_str(out, "<figure><figcaption>");
    tdm_html_text(out, title);
    tdm_buf_fmt(out, "</figcaption><svg class=\"columns\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH,
                HEIGHT);
    tdm_html_text(out, title);
    for (size_t i = 0; i < n; i++) {
        tdm_buf_str(out, i ? ", " : ": ");
        tdm_html_text(out, names[i]);
        tdm_buf_fmt(out, " %.0f", values[i]);
    }
    tdm_buf_fmt(out, "\"><line class=\"zero\" x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>", WIDTH, HEIGHT - BOTTOM,
                HEIGHT - BOTTOM);
    for (size_t i = 0; i < n; i++) {
        double tall = most > 0 ? (HEIGHT - TOP - BOTTOM) * values[i] / most : 0, middle = room * ((double)i + 0.5);
        double y = HEIGHT - BOTTOM - tall;
        tdm_buf_fmt(out, "<rect class=\"bar\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" rx=\"2\"/>",
                    middle - bar / 2, y, bar, tall);
        if (n <= 12) {
            tdm_buf_fmt(out, "<text class=\"value\" x=\"%.2f\" y=\"%.2f\" text-anchor=\"middle\">", middle, y - 6);
            tdm_html_count(out, values[i]);
            tdm_buf_str(out, "</text>");
        }
        tdm_buf_fmt(out, "<text x=\"%.2f\" y=\"%d\" text-anchor=\"middle\">", middle, HEIGHT - 8);
        tdm_html_text(out, names[i]);
        tdm_buf_str(out, "</text>");
    }
    tdm_buf_str(out, "</svg></figure>\n");
}
