/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "data/small_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/tandem-dataset-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[2][128];
    static int turn;
    char *p = path[turn++ % 2];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static int folder_make(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
    (void)state;
    unlink(in_folder("dataset.json"));
    unlink(in_folder("dataset.safetensors"));
    unlink(in_folder("text.safetensors"));
    return rmdir(folder);
}

static tdm_row row(const char *user, const char *item, float rating, int64_t time, const char *summary)
{
    return (tdm_row){.user = tdm_str_of(user),
                     .item = tdm_str_of(item),
                     .rating = rating,
                     .time = time,
                     .summary = tdm_str_of(summary),
                     .review = tdm_str_of("")};
}

static tdm_status fill(tdm_builder *b, int turned, tdm_err *err)
{
    const tdm_row rows[] = {row("ann", "tea", 5, 30, "lovely"), row("bob", "pot", NAN, 10, ""),
                            row("ann", "pot", 3, 20, "so so"), row("ann", "cup", 4, 20, "")};
    tdm_status st = TDM_OK;
    for (int k = 0; !st && k < 4; k++) st = tdm_builder_add(b, &rows[turned && k < 2 ? 1 - k : k], err);
    tdm_item tea = {.id = tdm_str_of("tea"),
                    .title = tdm_str_of("Green tea"),
                    .brand = tdm_str_of("Leaf"),
                    .category = tdm_str_of("Drinks\nTea")};
    tdm_item late = {.id = tdm_str_of("tea"), .title = tdm_str_of("Other"), .keywords = tdm_str_of("green")};
    tdm_item pot = {.id = tdm_str_of("17"), .other_id = tdm_str_of("pot"), .keywords = tdm_str_of("round")};
    bool known;
    if (!st) st = tdm_builder_item(b, &tea, &known, err);
    if (!st) CHECK(known);
    if (!st) st = tdm_builder_item(b, &late, NULL, err);
    if (!st) st = tdm_builder_item(b, &pot, NULL, err);
    if (!st) st = tdm_builder_item(b, &(tdm_item){.id = tdm_str_of("saw")}, &known, err);
    if (!st) CHECK(!known);
    return st;
}

static tdm_dataset *small(int turned)
{
    tdm_builder *b;
    tdm_dataset *d;
    tdm_err err;
    CHECK_OK(tdm_builder_open(&b, 1, &err), err);
    CHECK_OK(fill(b, turned, &err), err);
    CHECK_OK(small_log_finish(&d, b, 0, NULL, &err), err);
    tdm_builder_close(b);
    return d;
}

static void check_small(const tdm_dataset *d)
{
    CHECK(d->U == 2 && d->I == 3 && d->N == 4 && d->has_ratings && d->has_times && !d->part);
    CHECK(d->rating_low == 3 && d->rating_high == 5);
    uint32_t ann = tdm_dataset_user(d, tdm_str_of("ann")), tea = tdm_dataset_item(d, tdm_str_of("tea"));
    uint32_t pot = tdm_dataset_item(d, tdm_str_of("pot")), cup = tdm_dataset_item(d, tdm_str_of("cup"));
    CHECK(tdm_dataset_user(d, tdm_str_of("eve")) == TDM_NONE && tdm_dataset_item(d, tdm_str_of("")) == TDM_NONE);
    tdm_history h = tdm_dataset_history(d, ann);
    CHECK(h.n == 3 && h.items[0] == pot && h.items[1] == cup && h.items[2] == tea && h.now == TDM_NO_TIME && h.self == ann);
    CHECK(h.ratings[0] == 3 && h.times[2] == 30);
    size_t at = (size_t)d->offset[ann];
    CHECK(tdm_str_is(tdm_strings_at(&d->summary, d->row[at + 2]), "lovely"));
    CHECK(tdm_strings_at(&d->summary, d->row[at + 1]).n == 0);
    CHECK(isnan(tdm_dataset_history(d, 1 - ann).ratings[0]));
    CHECK(tdm_str_is(tdm_dataset_name(d, tea), "Green tea") && tdm_str_is(tdm_dataset_name(d, pot), "round"));
    CHECK(tdm_str_is(tdm_dataset_name(d, cup), "cup"));
    CHECK(tdm_str_is(tdm_strings_at(&d->keywords, tea), "green") && tdm_str_is(tdm_strings_at(&d->brand, tea), "Leaf"));
}

static void what_is_saved_is_opened(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = small(0), *back;
    check_small(d);
    CHECK_OK(tdm_dataset_save(d, folder, NULL, &err), err);
    CHECK_OK(tdm_dataset_open(&back, folder, &err), err);
    check_small(back);
    CHECK(back->fingerprint == d->fingerprint);
    tdm_dataset_close(back);
    tdm_dataset_close(d);
}

static void the_listing_of_people_leaves_no_trace(void **state)
{
    (void)state;
    tdm_dataset *a = small(0), *b = small(1);
    CHECK(a->fingerprint == b->fingerprint);
    tdm_dataset_close(a);
    tdm_dataset_close(b);
}

static void a_changed_byte_is_found(void **state)
{
    (void)state;
    tdm_err err;
    tdm_dataset *d = small(0), *back;
    CHECK_OK(tdm_dataset_save(d, folder, NULL, &err), err);
    FILE *f = fopen(in_folder("dataset.safetensors"), "r+b");
    CHECK(f && !fseek(f, -1, SEEK_END));
    int c = getc(f);
    CHECK(!fseek(f, -1, SEEK_END) && putc(c ^ 1, f) != EOF && !fclose(f));
    CHECK(tdm_dataset_open(&back, folder, &err) == TDM_E_FORMAT && !back);
    CHECK(strstr(err.msg, "dataset.safetensors") && strstr(err.msg, "prepare"));
    CHECK(tdm_dataset_open(&back, "/nowhere", &err) == TDM_E_IO && strstr(err.msg, "/nowhere"));
    tdm_dataset_close(d);
}

static void equal_rows_are_left_out_unless_their_order_means_time(void **state)
{
    (void)state;
    tdm_err err;
    tdm_builder *b;
    tdm_dataset *d;
    tdm_left_out left;
    CHECK_OK(tdm_builder_open(&b, 1, &err), err);
    tdm_row r = row("ann", "tea", 5, 30, "lovely"), other = row("ann", "tea", 5, 30, "lovely!"), ordered = r;
    ordered.ordered = true;
    for (int k = 0; k < 2; k++) CHECK_OK(tdm_builder_add(b, &r, &err), err);
    CHECK_OK(tdm_builder_add(b, &other, &err), err);
    for (int k = 0; k < 2; k++) CHECK_OK(tdm_builder_add(b, &ordered, &err), err);
    CHECK(tdm_builder_add(b, &(tdm_row){.user = r.user}, &err) == TDM_E_ARG && tdm_builder_rows(b) == 5);
    CHECK_OK(small_log_finish(&d, b, 0, &left, &err), err);
    CHECK(d->N == 4 && left.duplicates == 1 && left.outside == 0 && left.core == 0);
    tdm_dataset_close(d);
    tdm_builder_close(b);
}

/* Many rows of one instant go another way than few. */
static void equal_rows_are_found_among_many_of_one_instant(void **state)
{
    (void)state;
    tdm_err err;
    tdm_builder *b;
    tdm_dataset *d;
    tdm_left_out left;
    char item[16];
    CHECK_OK(tdm_builder_open(&b, 1, &err), err);
    for (int k = 0; k < 3000; k++) {
        snprintf(item, sizeof item, "item%d", k * 7 % 1000);
        tdm_row r = row("ann", item, (float)(k % 2), TDM_NO_TIME, k < 2000 ? "" : "words");
        CHECK_OK(tdm_builder_add(b, &r, &err), err);
    }
    CHECK_OK(small_log_finish(&d, b, 0, &left, &err), err);
    /* items repeat with a period of 1000, which is even: the second thousand is the first, the third has words */
    CHECK(d->N == 2000 && left.duplicates == 1000 && d->I == 1000);
    for (size_t j = 0; j < 2000; j++) { /* the first of equals stays, in the order of the file */
        snprintf(item, sizeof item, "item%d", (int)(j * 7 % 1000));
        CHECK(tdm_str_is(tdm_strings_at(&d->item_id, d->item[j]), item));
        CHECK(tdm_strings_at(&d->summary, d->row[j]).n == (j < 1000 ? 0 : 5));
    }
    tdm_dataset_close(d);
    tdm_builder_close(b);
}

static void a_core_is_peeled_to_the_fixed_point(void **state)
{
    (void)state;
    tdm_err err;
    /* cid has two rows, but one is of an item that nobody else has; then bob falls with what cid shared */
    const char *pairs[][2] = {{"ann", "a"}, {"ann", "b"}, {"dan", "a"}, {"dan", "b"},
                              {"bob", "a"}, {"bob", "c"}, {"cid", "c"}, {"cid", "x"}};
    for (size_t core = 2; core < 4; core++) {
        tdm_builder *b;
        tdm_dataset *d;
        tdm_left_out left;
        CHECK_OK(tdm_builder_open(&b, 1, &err), err);
        for (int k = 0; k < 8; k++) {
            tdm_row r = row(pairs[k][0], pairs[k][1], NAN, k, k % 2 ? "odd" : "");
            CHECK_OK(tdm_builder_add(b, &r, &err), err);
        }
        CHECK_OK(small_log_finish(&d, b, core, &left, &err), err);
        if (core == 2) {
            CHECK(d->U == 2 && d->I == 2 && d->N == 4 && left.core == 4);
            CHECK(tdm_dataset_user(d, tdm_str_of("bob")) == TDM_NONE &&
                  tdm_dataset_item(d, tdm_str_of("c")) == TDM_NONE);
            size_t ann = tdm_dataset_user(d, tdm_str_of("ann")), at = (size_t)d->offset[ann];
            CHECK(tdm_strings_at(&d->summary, d->row[at]).n == 0 && tdm_strings_at(&d->summary, d->row[at + 1]).n == 3);
        } else CHECK(!d && left.core == 8);
        tdm_dataset_close(d);
        tdm_builder_close(b);
    }
}

/* A made log: people with histories of many lengths, ties, texts, duplicates, several batches. */
static tdm_status many(tdm_builder *b, tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (uint64_t k = 0; !st && k < 20000; k++) {
        char user[24], item[24], text[80];
        uint64_t h = (k + 1) * 0x9e3779b97f4a7c15u;
        snprintf(user, sizeof user, "u%llu", (unsigned long long)((h >> 40) % 1500 * ((h >> 20) % 3) / 2));
        snprintf(item, sizeof item, "i%llu", (unsigned long long)((h >> 33) % 400));
        snprintf(text, sizeof text, "%.*s", (int)((h >> 10) % 70),
                 "a text of some length that is cut at one place or another as the row goes");
        static const float ratings[] = {1, 2, 3, 4, 5, 2.5f, 0, 25.4f, 25.5f, 100, -3, 1.0f / 3, NAN, 1e30f};
        static const int64_t times[] = {0, 5, 1393545600, UINT32_MAX, (int64_t)UINT32_MAX + 1, -1, TDM_NO_TIME};
        tdm_row r = row(user, item, ratings[h % 14], times[(h >> 50) % 7], text);
        r.test = h >> 7 & 1;
        st = tdm_builder_add(b, &r, err);
        if (!st && k % 9 == 0) st = tdm_builder_add(b, &r, err);
    }
    return st;
}

/* Every form of rating and time is given back as it came. */
static void odd_values_are_kept(void **state)
{
    (void)state;
    static const float ratings[] = {0, 25.4f, 25.5f, 0.1f, 1.0f / 3, -3, 1e30f, -0.0f, NAN};
    static const int64_t times[] = {TDM_NO_TIME, -5,       -1, 0, 5, UINT32_MAX, (int64_t)UINT32_MAX + 1,
                                    INT64_MAX,   INT64_MAX};
    tdm_builder *b;
    tdm_dataset *d;
    tdm_err err;
    CHECK_OK(tdm_builder_open(&b, 1, &err), err);
    for (int k = 0; k < 9; k++) {
        tdm_row r = row("ann", k % 2 ? "tea" : "pot", ratings[k], times[k], k % 3 ? "" : "so");
        CHECK_OK(tdm_builder_add(b, &r, &err), err);
    }
    CHECK_OK(small_log_finish(&d, b, 0, NULL, &err), err);
    CHECK(d->N == 9);
    for (int k = 0; k < 9; k++) {
        CHECK(d->time[k] == times[k] && (d->rating[k] == ratings[k] || (isnan(ratings[k]) && isnan(d->rating[k]))));
        CHECK(tdm_strings_at(&d->summary, d->row[k]).n == (k % 3 ? 0 : 2));
    }
    tdm_dataset_close(d);
    tdm_builder_close(b);
}

static uint64_t print_of(size_t threads, size_t memory, size_t core)
{
    tdm_builder *b;
    tdm_dataset *d;
    tdm_run *run;
    tdm_left_out left;
    tdm_err err;
    CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = threads, .seed = 1}, &err), err);
    CHECK_OK(tdm_builder_open(&b, 1, &err), err);
    tdm_builder_use(b, run, "/tmp", memory);
    CHECK_OK(many(b, &err), err);
    CHECK_OK(small_log_finish(&d, b, core, &left, &err), err);
    CHECK(left.duplicates >= 2223 && d->N + left.duplicates + left.core == 22223 && d->part);
    CHECK((left.core > 0) == (core > 0));
    uint64_t print = d->fingerprint;
    tdm_dataset_close(d);
    tdm_builder_close(b);
    tdm_run_close(run);
    return print;
}

static void threads_and_memory_leave_no_trace(void **state)
{
    (void)state;
    for (size_t core = 0; core < 20; core += 15) {
        uint64_t one = print_of(1, 0, core);
        CHECK(print_of(2, 0, core) == one && print_of(7, 0, core) == one);
        CHECK(print_of(1, 1, core) == one && print_of(7, 100000, core) == one); /* all rows through the file; some */
    }
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    (void)state;
    size_t live = tdm_mem_live();
    long k = 0;
    for (;; k++) {
        tdm_builder *b = NULL;
        tdm_dataset *d = NULL, *back = NULL;
        tdm_err err;
        tdm_mem_fail_after(k);
        tdm_status st = tdm_builder_open(&b, 1, &err);
        if (!st) st = fill(b, 0, &err);
        if (!st) st = small_log_finish(&d, b, 0, NULL, &err);
        if (!st) st = tdm_dataset_save(d, folder, NULL, &err);
        if (!st) st = tdm_dataset_open(&back, folder, &err);
        tdm_mem_fail_after(-1);
        tdm_builder_close(b);
        tdm_dataset_close(d);
        tdm_dataset_close(back);
        CHECK(tdm_mem_live() == live);
        if (st == TDM_OK) break;
        CHECK(k < 5000);
    }
    CHECK(k > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_opened),
        cmocka_unit_test(the_listing_of_people_leaves_no_trace),
        cmocka_unit_test(a_changed_byte_is_found),
        cmocka_unit_test(equal_rows_are_left_out_unless_their_order_means_time),
        cmocka_unit_test(equal_rows_are_found_among_many_of_one_instant),
        cmocka_unit_test(odd_values_are_kept),
        cmocka_unit_test(threads_and_memory_leave_no_trace),
        cmocka_unit_test(a_core_is_peeled_to_the_fixed_point),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
