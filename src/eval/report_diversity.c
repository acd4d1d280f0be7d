/* SPDX-License-Identifier: Apache-2.0 */
/* report_diversity.c - what lists of unlike items cost, as a table of the report. */
#include "eval/report.h"

#include <math.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

static void cell(tdm_buf *out, const cJSON *estimate, const char *form)
{
    double v = tdm_json_num(estimate, "value", NAN), low = tdm_json_num(estimate, "low", NAN);
    if (isnan(v)) {
        tdm_buf_str(out, "<td>&ndash;</td>");
        return;
    }
    tdm_buf_str(out, "<td");
    if (!isnan(low))
        tdm_buf_fmt(out, " title=\"95%% interval %.4f to %.4f\"", low, tdm_json_num(estimate, "high", NAN));
    tdm_buf_char(out, '>');
    tdm_buf_fmt(out, form, v);
    tdm_buf_str(out, "</td>");
}

void tdm_report_diversity(tdm_buf *out, const cJSON *doc)
{
    const cJSON *cost = of(doc, "diversity_cost"), *one;
    const char *main = tdm_json_str(doc, "main", "ndcg@10"), *at = strchr(main, '@');
    double people = tdm_json_num(cost, "people", 0), all = tdm_json_num(doc, "people", 0);
    if (!cJSON_GetArraySize(of(cost, "lists"))) return;
    tdm_buf unlike = {0};
    tdm_buf_fmt(&unlike, "diversity%s", at ? at : "");
    tdm_buf_str(out, "<section><h2>What diversity costs</h2>\n<p class=\"note\">Lists of ");
    tdm_html_text(out, tdm_json_str(cost, "model", "?"));
    tdm_buf_str(out, " made as <code>recommend --diversity X</code> makes them, for ");
    tdm_html_count(out, people);
    if (people < all) {
        tdm_buf_str(out, " people drawn of the ");
        tdm_html_count(out, all);
    } else tdm_buf_str(out, " people, all");
    tdm_buf_str(out,
                " judged, the same for each row. A difference is to the plain lists of the same people. The tooltips "
                "have 95% intervals.</p>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">X</th>"
                "<th scope=\"col\">");
    tdm_html_text(out, main);
    tdm_buf_str(out, "</th><th scope=\"col\">difference</th><th scope=\"col\">");
    tdm_html_text(out, unlike.p ? unlike.p : "");
    tdm_buf_str(out, "</th></tr></thead><tbody>\n");
    cJSON_ArrayForEach(one, of(cost, "lists"))
    {
        tdm_buf_fmt(out, "<tr><th scope=\"row\">%g</th>", tdm_json_num(one, "weight", 0));
        cell(out, of(one, main), "%.4f");
        cell(out, of(one, "difference"), "%+.4f");
        cell(out, of(one, unlike.p ? unlike.p : ""), "%.4f");
        tdm_buf_str(out, "</tr>\n");
    }
    tdm_buf_str(out, "</tbody></table></div></section>\n");
    tdm_buf_clear(&unlike);
}
