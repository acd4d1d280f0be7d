/* SPDX-License-Identifier: Apache-2.0 */
#include "gpt2/decode_pages.h"
#include "base/mem.h"
#include "base/status.h"

#include <string.h>

/* How many texts hold a page stands behind its numbers. */
static uint32_t *holders(const tdm_pages *p, float *page) { return (uint32_t *)(void *)(page + p->floats); }

tdm_status tdm_pages_open(tdm_pages *p, tdm_gpt2_shape s, size_t texts, size_t most, tdm_err *err)
{
    size_t pages = (most + TDM_PAGE - 1) / TDM_PAGE;
    *p = (tdm_pages){.floats = s.L * TDM_PAGE * 2 * s.C, .texts = texts, .most = most};
    p->text = tdm_new(texts, sizeof *p->text);
    for (size_t t = 0; p->text && t < texts; t++) {
        p->text[t].page = tdm_new(pages, sizeof *p->text[t].page);
        if (p->text[t].page) continue;
        tdm_pages_clear(p);
        break;
    }
    return p->text ? TDM_OK : tdm_nomem(err, "texts to decode");
}

static void release(tdm_pages *p, float *page)
{
    if (--*holders(p, page)) return;
    if (tdm_grow(&p->spare, &p->spare_cap, p->n_spare + 1, sizeof *p->spare)) tdm_free(page);
    else p->spare[p->n_spare++] = page;
}

static void cut(tdm_pages *p, tdm_text *t, size_t pages)
{
    while (t->pages > pages) release(p, t->page[--t->pages]);
}

void tdm_pages_clear(tdm_pages *p)
{
    for (size_t t = 0; p->text && t < p->texts && p->text[t].page; t++) {
        cut(p, &p->text[t], 0);
        tdm_free(p->text[t].page);
    }
    for (size_t i = 0; i < p->n_spare; i++) tdm_free(p->spare[i]);
    tdm_free(p->spare);
    tdm_free(p->text);
    *p = (tdm_pages){0};
}

static float *take(tdm_pages *p)
{
    float *page = p->n_spare ? p->spare[--p->n_spare] : tdm_new(p->floats + 1, sizeof *page);
    if (page) *holders(p, page) = 1;
    return page;
}

tdm_status tdm_pages_reserve(tdm_pages *p, size_t text, size_t more, tdm_err *err)
{
    tdm_text *t = &p->text[text];
    if (more > p->most - t->n)
        return tdm_fail(err, TDM_E_ARG, "a text outgrows its %zu tokens; begin anew with its newest", p->most);
    if (t->pages && t->n % TDM_PAGE && *holders(p, t->page[t->n / TDM_PAGE]) > 1) {
        float *own = take(p), *old = t->page[t->n / TDM_PAGE];
        if (!own) return tdm_nomem(err, "a text");
        memcpy(own, old, p->floats * sizeof *own);
        release(p, old);
        t->page[t->n / TDM_PAGE] = own;
    }
    while (t->pages * TDM_PAGE < t->n + more) {
        float *page = take(p);
        if (!page) return tdm_nomem(err, "a text");
        t->page[t->pages++] = page;
    }
    return TDM_OK;
}

void tdm_pages_rewind(tdm_pages *p, size_t text, size_t n)
{
    tdm_text *t = &p->text[text];
    if (n >= t->n) return;
    t->n = n;
    cut(p, t, (n + TDM_PAGE - 1) / TDM_PAGE);
}

void tdm_pages_fork(tdm_pages *p, size_t to, size_t from)
{
    if (to == from) return;
    tdm_text *a = &p->text[to], *b = &p->text[from];
    size_t pages = (b->n + TDM_PAGE - 1) / TDM_PAGE;
    for (size_t i = 0; i < pages; i++) ++*holders(p, b->page[i]);
    cut(p, a, 0);
    memcpy(a->page, b->page, pages * sizeof *a->page);
    a->pages = pages;
    a->n = b->n;
}
