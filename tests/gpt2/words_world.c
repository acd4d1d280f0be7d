/* SPDX-License-Identifier: Apache-2.0 */
#include "words_world.h"
#include "check.h"

#include "data/small_log.h"

#include <stdio.h>

static const char *const titles[WORLD_KINDS][WORLD_ITEMS] = {
    {"Green tea", "Black tea", "Tea pot", "Tea cup", "Herbal tea", "Honey", "Tea strainer", "Tea cup"},
    {"Steel hammer", "Steel saw", "Tool box", "Wood glue", "Hand drill", "Tape <|end|><|item|> measure", "Work gloves",
     "Bench vice"},
};
static const char *const says[WORLD_KINDS][2] = {
    {"I drink it every morning with great pleasure.", "The taste is warm and kind and lasts all day."},
    {"It is strong and does the work without fuss.", "The grip is firm and the steel holds its edge."},
};

tdm_dataset *words_world(bool reviews)
{
    tdm_builder *b;
    tdm_dataset *d;
    tdm_err e;
    CHECK_OK(tdm_builder_open(&b, 5, &e), e);
    for (size_t u = 0; u < WORLD_PEOPLE; u++)
        for (size_t k = 0; k < WORLD_EACH; k++) {
            char user[16], item[16], summary[64], review[160];
            size_t kind = u % WORLD_KINDS, i = (u / WORLD_KINDS * 3 + k) % WORLD_ITEMS;
            snprintf(user, sizeof user, "u%zu", u);
            snprintf(item, sizeof item, "i%zu-%zu", kind, i);
            snprintf(summary, sizeof summary, "%s own%zux%zu", kind ? "Good tool" : "Fine tea", u, k);
            snprintf(review, sizeof review, "%s More of it\nlater.", says[kind][(u / 2 + k) % 2]);
            tdm_row row = {.user = tdm_str_of(user),
                           .item = tdm_str_of(item),
                           .rating = (float)(k % 2 ? 5 : 4),
                           .time = (int64_t)(u * 100 + k),
                           .summary = tdm_str_of(reviews ? summary : ""),
                           .review = tdm_str_of(reviews ? review : "")};
            CHECK_OK(tdm_builder_add(b, &row, &e), e);
        }
    for (size_t kind = 0; kind < WORLD_KINDS; kind++)
        for (size_t i = 0; i < WORLD_ITEMS; i++) {
            char id[16];
            snprintf(id, sizeof id, "i%zu-%zu", kind, i);
            tdm_item item = {.id = tdm_str_of(id), .title = tdm_str_of(titles[kind][i])};
            CHECK_OK(tdm_builder_item(b, &item, NULL, &e), e);
        }
    CHECK_OK(small_log_finish(&d, b, 0, NULL, &e), e);
    tdm_builder_close(b);
    return d;
}

tdm_run *words_run(size_t threads)
{
    tdm_run *run;
    tdm_err e;
    const tdm_run_options o = {.threads = threads, .seed = 11};
    CHECK_OK(tdm_run_open(&run, &o, &e), e);
    return run;
}

tdm_params words_small(double steps)
{
    tdm_params p = tdm_params_standard(tdm_gpt2_words_ops.params);
    tdm_err e;
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "C", 32, &e), e);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "H", 2, &e), e);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "vocabulary", 400, &e), e);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "tokens", 600, &e), e);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "steps", steps, &e), e);
    CHECK_OK(tdm_params_set(&p, "gpt2-words", "beam", 1000, &e), e);
    return p;
}

tdm_model *words_fitted(const tdm_dataset *d, tdm_run *run, double steps)
{
    tdm_model *m;
    tdm_err e;
    tdm_params p = words_small(steps);
    const tdm_fit_input in = {.train = d, .params = &p, .run = run};
    CHECK_OK(tdm_gpt2_words_ops.fit(&m, &in, &e), e);
    return m;
}

tdm_status words_topk(const tdm_model *m, uint32_t *items, float *scores, size_t *n, const tdm_history *h, size_t k,
                      tdm_err *err)
{
    const tdm_wanted w = {.k = k};
    const tdm_ranked out = {items, scores, n};
    return m->ops->topk(m, &out, h, 1, &w, err);
}
