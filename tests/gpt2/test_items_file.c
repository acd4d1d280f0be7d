/* SPDX-License-Identifier: Apache-2.0 */
/* test_items_file.c - the same bytes however it is trained, and files that cannot be trusted. */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "items_toy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void path_in(char out[128], const char *folder, const char *name) { snprintf(out, 128, "%s/%s", folder, name); }

static void words_of(float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) v[i] = sinf((float)(i * i + 1));
}

static void save(const tdm_model *m, const char *folder)
{
    tdm_err err;
    CHECK_OK(m->ops->save(m, folder, &err), err);
}

static void same_bytes_of(const char *settings)
{
    tdm_err err;
    float v[100 * 10];
    words_of(v, 1000);
    toy *t = toy_cycle(300, 100, 7);
    toy_content c = toy_content_of(v, 10);
    const size_t threads[] = {1, 2, 7};
    char folder[3][64];
    for (size_t k = 0; k < 3; k++) {
        toy_fit f = {.settings = settings, .content = &c.base, .threads = threads[k]};
        tdm_model *m;
        CHECK_OK(toy_fit_run(&m, t, &f, &err), err);
        toy_folder(folder[k]);
        save(m, folder[k]);
        tdm_model_close(m);
    }
    CHECK(toy_same_folders(folder[0], folder[1]) && toy_same_folders(folder[0], folder[2]));
    for (size_t k = 0; k < 3; k++) toy_remove(folder[k]);
    tdm_free(t);
}

static void any_number_of_threads_gives_the_same_bytes(void **state)
{
    (void)state;
    same_bytes_of("epochs=2 layers=2");
    same_bytes_of("epochs=2 layers=2 bf16=1");
}

/* Likes the second epoch's weights best, by a number that only weights can have made. */
typedef struct taste {
    tdm_history h;
} taste;
static tdm_status likes(void *ctx, double *value, const tdm_model *m, tdm_err *err)
{
    taste *s = ctx;
    float scores[30];
    tdm_status st = m->ops->score(m, scores, &s->h, 1, err);
    *value = -fabs((double)scores[17] - (double)scores[3] - 0.2);
    return st;
}

static void an_interrupted_training_ends_with_the_same_bytes(void **state)
{
    (void)state;
    tdm_err err;
    float v[30 * 6];
    words_of(v, 180);
    toy *t = toy_cycle(100, 30, 7);
    toy_content c = toy_content_of(v, 6);
    const uint32_t items[] = {3, 10};
    taste s = {toy_asked(items, 2)};
    const tdm_judge judge = {likes, &s};
    for (int judged = 0; judged < 2; judged++) {
        char whole[64], parts[64], checkpoint[128];
        toy_folder(whole);
        toy_folder(parts);
        path_in(checkpoint, parts, "checkpoint");
        toy_fit f = {.settings = "epochs=6 patience=6", .content = &c.base, .judge = judged ? &judge : NULL};
        tdm_model *m;
        CHECK_OK(toy_fit_run(&m, t, &f, &err), err);
        save(m, whole);
        tdm_model_close(m);
        size_t all = f.updates, parts_of_it = 0;
        f.checkpoint = checkpoint;
        for (size_t at = 1; at < all; at += 3) { /* in the middle of epochs, and at their ends */
            f.cancel_at = at;
            CHECK(toy_fit_run(&m, t, &f, &err) == TDM_E_CANCELLED && !m);
            parts_of_it += f.updates;
        }
        f.cancel_at = 0;
        CHECK_OK(toy_fit_run(&m, t, &f, &err), err);
        CHECK(all > 12 && parts_of_it + f.updates == all); /* no update was made twice */
        save(m, parts);
        tdm_model_close(m);
        CHECK(toy_same_folders(whole, parts));

        f.settings = "epochs=3 patience=6"; /* another training: its checkpoint is not this one's */
        f.checkpoint = NULL;
        CHECK_OK(toy_fit_run(&m, t, &f, &err), err);
        save(m, whole);
        tdm_model_close(m);
        f.checkpoint = checkpoint;
        CHECK_OK(toy_fit_run(&m, t, &f, &err), err);
        save(m, parts);
        tdm_model_close(m);
        CHECK(toy_same_folders(whole, parts));

        CHECK(truncate(checkpoint, 5000) == 0); /* a damaged one is as good as none */
        CHECK_OK(toy_fit_run(&m, t, &f, &err), err);
        save(m, parts);
        tdm_model_close(m);
        CHECK(toy_same_folders(whole, parts));
        toy_remove(whole);
        toy_remove(parts);
    }
    tdm_free(t);
}

static void what_is_loaded_scores_like_what_was_saved(void **state)
{
    (void)state;
    tdm_err err;
    float v[30 * 6], before[30], after[30];
    words_of(v, 180);
    toy *t = toy_cycle(100, 30, 7);
    toy_content c = toy_content_of(v, 6);
    const tdm_model *needs[] = {&c.base, NULL};
    const uint32_t items[] = {3, 10, 17};
    tdm_history h = toy_asked(items, 3);
    char folder[64], again[64];
    toy_folder(folder);
    toy_folder(again);
    tdm_model *m = toy_fitted(t, "window=7 layers=2", &c.base), *l;
    CHECK_OK(m->ops->score(m, before, &h, 1, &err), err);
    save(m, folder);
    CHECK_OK(m->ops->load(&l, folder, &t->d, needs, &err), err);
    CHECK_OK(l->ops->score(l, after, &h, 1, &err), err);
    CHECK(!memcmp(before, after, sizeof before));
    save(l, again);
    CHECK(toy_same_folders(folder, again));
    const float *E;
    size_t C;
    CHECK_OK(l->ops->vectors(l, &E, &C, &err), err);
    CHECK(C == 32 && isfinite(E[30 * 32 - 1]));
    tdm_model_close(m);
    tdm_model_close(l);
    toy_remove(folder);
    toy_remove(again);
    tdm_free(t);
}

static void refused(const char *folder, const toy *t, const tdm_model *const *needs, const char *why)
{
    tdm_err err;
    tdm_model *m;
    size_t live = tdm_mem_live();
    tdm_status st = tdm_gpt2_items_ops.load(&m, folder, &t->d, needs, &err);
    if (st != TDM_E_FORMAT || m || !strstr(err.msg, why))
        fail_msg("%d \"%s\" where \"%s\" is expected", st, err.msg, why);
    CHECK(tdm_mem_live() == live);
}

/* Overwrites one byte, or cuts the file where `value` is negative. */
static void damage(const char *folder, const char *name, long at, int value)
{
    char path[128];
    path_in(path, folder, name);
    if (value < 0) {
        CHECK(truncate(path, at) == 0);
        return;
    }
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    CHECK(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET) == 0 && fputc(value, f) == value && fclose(f) == 0);
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    float v[30 * 6];
    words_of(v, 180);
    toy *t = toy_cycle(100, 30, 7), *other = toy_cycle(100, 29, 7);
    toy_content c = toy_content_of(v, 6), longer = toy_content_of(v, 5);
    const tdm_model *needs[] = {&c.base, NULL}, *wrong[] = {&longer.base, NULL};
    char folder[64];
    toy_folder(folder);
    tdm_model *m = toy_fitted(t, "", &c.base);
    save(m, folder);
    refused(folder, other, needs, "items.json: lists other items");
    refused(folder, t, wrong, "projection holds");
    damage(folder, "items.json", 30, '9');
    refused(folder, t, needs, "items.json: lists other items");
    save(m, folder);
    damage(folder, "model.safetensors", 3000, -1);
    refused(folder, t, needs, "model.safetensors");
    save(m, folder);
    damage(folder, "model.safetensors", -1, 0x7f); /* the last float becomes NaN */
    damage(folder, "model.safetensors", -2, 0xff);
    refused(folder, t, needs, folder);
    save(m, folder);
    damage(folder, "tandem.safetensors", 100, -1);
    refused(folder, t, needs, "tandem.safetensors");
    tdm_model_close(m);
    m = toy_fitted(t, "channels=16", &c.base); /* weights of another shape than the settings say */
    char path[128], kept[128];
    path_in(path, folder, "tandem.safetensors");
    path_in(kept, folder, "kept");
    save(m, folder);
    CHECK(rename(path, kept) == 0);
    tdm_model_close(m);
    m = toy_fitted(t, "channels=24", &c.base);
    save(m, folder);
    CHECK(rename(kept, path) == 0);
    refused(folder, t, needs, "24 channels");
    tdm_model_close(m);
    toy_remove(folder);
    tdm_free(t);
    tdm_free(other);
}

static void short_memory_is_an_error_and_nothing_leaks(void **state)
{
    (void)state;
    tdm_err err;
    float v[10 * 4], scores[10];
    words_of(v, 40);
    toy *t = toy_cycle(20, 10, 3);
    toy_content c = toy_content_of(v, 4);
    const tdm_model *needs[] = {&c.base, NULL};
    const uint32_t items[] = {3, 6};
    tdm_history h = toy_asked(items, 2);
    char folder[64], checkpoint[128];
    toy_folder(folder);
    path_in(checkpoint, folder, "checkpoint");
    size_t live = tdm_mem_live();
    long k = 0;
    for (tdm_status st = TDM_E_NOMEM; st; k++) {
        CHECK(k < 3000);
        unlink(checkpoint);
        tdm_model *m = NULL, *l = NULL;
        tdm_evidence e;
        toy_fit f = {.settings = "epochs=1 channels=8", .content = &c.base, .checkpoint = checkpoint};
        tdm_mem_fail_after(k);
        st = toy_fit_run(&m, t, &f, &err);
        if (!st) st = m->ops->score(m, scores, &h, 1, &err);
        if (!st) st = m->ops->because(m, &e, &h, 9, &err);
        if (!st) st = m->ops->save(m, folder, &err);
        if (!st) st = m->ops->load(&l, folder, &t->d, needs, &err);
        tdm_mem_fail_after(-1);
        if (st && st != TDM_E_NOMEM) fail_msg("allocation %ld: %s", k, err.msg);
        tdm_model_close(m);
        tdm_model_close(l);
        CHECK(tdm_mem_live() == live);
    }
    CHECK(k > 30);
    toy_remove(folder);
    tdm_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads_gives_the_same_bytes),
        cmocka_unit_test(an_interrupted_training_ends_with_the_same_bytes),
        cmocka_unit_test(what_is_loaded_scores_like_what_was_saved),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(short_memory_is_an_error_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
