/* SPDX-License-Identifier: Apache-2.0 */
/* report_text.c - the section on written sentences: each measure, of each kind of text. */
#include "eval/report.h"

#include <string.h>

static const cJSON *of(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

static const char *said(const char *kind)
{
    if (!strcmp(kind, "generated")) return "written by GPT-2, or plain where it had nothing that holds";
    if (!strcmp(kind, "central")) return "the sentence of the item's reviews that is most like the others";
    return "the plain sentence made from the evidence";
}

/* How likely what people wrote is to GPT-2, beside the same with the wrong prompt and beside a model without one. */
static void perplexity(tdm_buf *out, const cJSON *p)
{
    static const struct {
        const char *key, *said;
    } rows[] = {{"gpt2", "GPT-2, behind the prompt of the same person and item"},
                {"gpt2_other_prompt", "GPT-2, behind the prompt of another person and item"},
                {"kneser_ney", "n-grams with modified Kneser-Ney smoothing, which read no prompt"}};
    double own = tdm_json_num(p, "gpt2", 0);
    if (!(own > 0)) return;
    tdm_buf_str(out, "<p class=\"note\">How well are those reviews foretold, a token at a time? The perplexity of ");
    tdm_html_count(out, tdm_json_num(p, "tokens", 0));
    tdm_buf_str(out, " tokens of ");
    tdm_html_count(out, tdm_json_num(p, "reviews", 0));
    tdm_buf_str(out, " held-out reviews; less is better.</p>\n<div class=\"scroll\"><table><thead><tr><th></th>"
                     "<th scope=\"col\">perplexity</th><th scope=\"col\">times GPT-2's</th></tr></thead><tbody>\n");
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        double v = tdm_json_num(p, rows[k].key, 0);
        if (!(v > 0)) continue;
        tdm_buf_fmt(out, "<tr><th scope=\"row\">%s</th><td>%.2f</td><td>%.2f</td></tr>\n", rows[k].said, v, v / own);
    }
    tdm_buf_str(out, "</tbody></table></div>\n");
}

void tdm_report_text(tdm_buf *out, const cJSON *doc)
{
    const cJSON *text = of(doc, "text"), *texts = of(text, "texts"), *counts = of(text, "counts"), *kind, *m;
    const char *best = tdm_json_str(text, "best", "?");
    if (!texts || !texts->child) return;
    tdm_buf_str(out, "<section><h2>The sentences</h2>\n<p class=\"note\">Why this item? What was answered to ");
    tdm_html_count(out, tdm_json_num(text, "people", 0));
    tdm_buf_str(out, " held-out people, beside the first words that they wrote about it themselves. By rouge@l, ");
    tdm_html_text(out, said(best));
    tdm_buf_str(out, ", does best; shown unless somebody asks for another is ");
    tdm_html_text(out, said(tdm_json_str(text, "shown", "generated")));
    tdm_buf_str(out, ". GPT-2 wrote ");
    tdm_html_count(out, tdm_json_num(counts, "gpt2", 0));
    tdm_buf_str(out, " of them, ");
    tdm_html_count(out, tdm_json_num(counts, "evidence", 0));
    tdm_buf_str(out, " are plain; of its ");
    tdm_html_count(out, tdm_json_num(counts, "tries", 0));
    tdm_buf_str(out, " tries ");
    tdm_html_count(out, tdm_json_num(counts, "unbacked", 0));
    tdm_buf_str(
        out,
        " were refused for a claim that no evidence backs.</p>\n<div class=\"scroll\"><table><thead><tr><th></th>");
    cJSON_ArrayForEach(kind, texts)
    {
        tdm_buf_str(out, "<th scope=\"col\">");
        tdm_html_text(out, kind->string);
        tdm_buf_str(out, "</th>");
    }
    tdm_buf_str(out, "</tr></thead><tbody>\n");
    cJSON_ArrayForEach(m, texts->child)
    {
        tdm_buf_str(out, "<tr><th scope=\"row\">");
        tdm_html_text(out, m->string);
        tdm_buf_str(out, "</th>");
        cJSON_ArrayForEach(kind, texts) tdm_buf_fmt(out, "<td>%.4f</td>", tdm_json_num(kind, m->string, 0));
        tdm_buf_str(out, "</tr>\n");
    }
    tdm_buf_str(out, "</tbody></table></div>\n<dl class=\"terms\">");
    cJSON_ArrayForEach(kind, texts)
    {
        tdm_buf_str(out, "<dt>");
        tdm_html_text(out, kind->string);
        tdm_buf_str(out, "</dt><dd>");
        tdm_html_text(out, said(kind->string));
        tdm_buf_str(out, "</dd>");
    }
    tdm_buf_str(out, "</dl>\n");
    perplexity(out, of(text, "perplexity"));
    tdm_buf_str(out, "</section>\n");
}
