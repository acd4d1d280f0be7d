/* SPDX-License-Identifier: Apache-2.0 */
/* report_before.c - what a second fit, with the validation rows, did: figures before it and now, apart. */
#include "eval/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

static void cell(tdm_buf *out, double v)
{
    if (isnan(v)) tdm_buf_str(out, "<td>&ndash;</td>");
    else tdm_buf_fmt(out, "<td>%.4f</td>", v);
}

void tdm_report_before(tdm_buf *out, const cJSON *doc)
{
    const cJSON *m, *before = of(doc, "before");
    const char *main = tdm_json_str(doc, "main", "ndcg@10"), *at = strchr(main, '@');
    char recall[32];
    const char *metric[] = {recall, main, "rmse"};
    bool rates = false;
    if (!before || !before->child) return;
    snprintf(recall, sizeof recall, "recall%.20s", at ? at : "@10");
    cJSON_ArrayForEach(m, before) rates = rates || !isnan(tdm_html_value(m, "rmse"));
    tdm_buf_str(out,
                "<section><h2>Fitted again</h2>\n<p class=\"note\">Everything was chosen by validation people, with "
                "models that had not seen their answers. Then the same settings were fitted once more, with those "
                "answers as training rows: that is what this folder holds and all other figures are about. Papers "
                "report what was before it.</p>\n<div class=\"scroll\"><table><thead><tr><th></th>");
    for (int i = 0; i < 2 + rates; i++)
        tdm_buf_fmt(out, "<th scope=\"col\">%s before</th><th scope=\"col\">now</th>", metric[i]);
    tdm_buf_str(out, "</tr></thead><tbody>\n");
    cJSON_ArrayForEach(m, before)
    {
        const cJSON *now = of(of(doc, "models"), m->string);
        tdm_buf_fmt(out, "<tr class=\"%s\"><th scope=\"row\">", tdm_html_class(doc, m->string));
        tdm_html_text(out, m->string);
        tdm_buf_str(out, "</th>");
        for (int i = 0; i < 2 + rates; i++) {
            cell(out, tdm_html_value(m, metric[i]));
            cell(out, tdm_html_value(now, metric[i]));
        }
        tdm_buf_str(out, "</tr>\n");
    }
    tdm_buf_str(out, "</tbody></table></div></section>\n");
}
