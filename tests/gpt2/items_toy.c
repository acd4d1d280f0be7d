/* SPDX-License-Identifier: Apache-2.0 */
#include "items_toy.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

toy *toy_new(size_t I)
{
    toy *t = tdm_new(1, sizeof *t);
    assert_non_null(t);
    assert_true(I <= TOY_ITEMS);
    t->d.I = I;
    t->d.offset = t->offset;
    t->d.item = t->item;
    for (size_t i = 0, at = 0; i < I; i++) {
        at += (size_t)snprintf(t->id + at, 4, "i%zu", i);
        t->id_at[i + 1] = (int64_t)at;
    }
    t->d.item_id = (tdm_strings){t->id, t->id_at, I};
    return t;
}

void toy_add(toy *t, uint32_t item)
{
    assert_true(t->d.N < TOY_ROWS && item < t->d.I);
    t->item[t->d.N++] = item;
}

void toy_end_person(toy *t)
{
    assert_true(t->d.U < TOY_PEOPLE);
    t->offset[++t->d.U] = (int64_t)t->d.N;
}

toy *toy_cycle(size_t U, size_t I, size_t step)
{
    toy *t = toy_new(I);
    for (size_t u = 0; u < U; u++) {
        tdm_rng r = tdm_rng_make(7, u, 0);
        size_t n = 2 + (size_t)tdm_rng_below(&r, 8), i = (size_t)tdm_rng_below(&r, I);
        for (size_t k = 0; k < n; k++, i = (i + step) % I) toy_add(t, (uint32_t)i);
        toy_end_person(t);
    }
    return t;
}

tdm_history toy_asked(const uint32_t *items, size_t n)
{
    return (tdm_history){.items = items, .n = n, .now = TDM_NO_TIME, .self = TDM_NONE};
}

static tdm_status content_vectors(const tdm_model *m, const float **out, size_t *K, tdm_err *err)
{
    const toy_content *c = (const toy_content *)m;
    (void)err;
    *out = c->v;
    *K = c->K;
    return TDM_OK;
}

static const tdm_model_ops content_ops = {.name = "content", .vectors = content_vectors};

toy_content toy_content_of(const float *v, size_t K) { return (toy_content){.base.ops = &content_ops, .K = K, .v = v}; }

typedef struct watching {
    tdm_run *run;
    toy_fit *f;
} watching;

static void watch(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    watching *w = ctx;
    (void)stage;
    (void)total;
    (void)note;
    w->f->updates++;
    if (w->f->cancel_at && done >= w->f->cancel_at) tdm_run_cancel(w->run);
}

tdm_status toy_fit_run(tdm_model **out, const toy *t, toy_fit *f, tdm_err *err)
{
    tdm_params p = tdm_params_standard(tdm_gpt2_items_ops.params);
    char all[256], name[64];
    double value;
    int used;
    snprintf(all, sizeof all, "channels=32 heads=2 batch=256 updates=0 epochs=4 dropout=0.1 %s",
             f->settings ? f->settings : "");
    for (const char *s = all; sscanf(s, " %63[^=]=%lf%n", name, &value, &used) == 2; s += used)
        CHECK_OK(tdm_params_set(&p, "gpt2-items", name, value, err), *err);
    watching w = {.f = f};
    *out = NULL;
    f->updates = 0;
    tdm_status st = tdm_run_open(
        &w.run, &(tdm_run_options){.threads = f->threads ? f->threads : 1, .seed = 3, .progress = watch, .ctx = &w},
        err);
    if (st) return st;
    const tdm_model *needs[] = {f->content, NULL};
    tdm_fit_input in = {
        .train = &t->d, .params = &p, .needs = needs, .judge = f->judge, .checkpoint = f->checkpoint, .run = w.run};
    st = tdm_gpt2_items_ops.fit(out, &in, err);
    tdm_run_close(w.run);
    return st;
}

tdm_model *toy_fitted(const toy *t, const char *settings, const tdm_model *content)
{
    tdm_err err;
    tdm_model *m;
    toy_fit f = {.settings = settings, .content = content};
    CHECK_OK(toy_fit_run(&m, t, &f, &err), err);
    return m;
}

static bool same_files(const char *a, const char *b, const char *name)
{
    tdm_err err;
    tdm_map x, y;
    char *p = tdm_path_join(a, name), *q = tdm_path_join(b, name);
    CHECK_OK(tdm_map_open(&x, p, &err), err);
    CHECK_OK(tdm_map_open(&y, q, &err), err);
    bool same = x.n == y.n && !memcmp(x.p, y.p, x.n);
    tdm_map_close(&x);
    tdm_map_close(&y);
    tdm_free(p);
    tdm_free(q);
    return same;
}

bool toy_same_folders(const char *a, const char *b)
{
    return same_files(a, b, "config.json") && same_files(a, b, "model.safetensors") && same_files(a, b, "items.json") &&
           same_files(a, b, "tandem.safetensors");
}

void toy_folder(char out[64])
{
    snprintf(out, 64, "/tmp/tandem-items-XXXXXX");
    assert_non_null(mkdtemp(out));
}

void toy_remove(const char *folder)
{
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        char *path = tdm_path_join(folder, e->d_name);
        if (e->d_name[0] != '.') unlink(path);
        tdm_free(path);
    }
    closedir(d);
    rmdir(folder);
}
