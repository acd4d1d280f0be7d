/* SPDX-License-Identifier: Apache-2.0 */
/* test_real.c - the files that people have downloaded, where a folder of them lies beside the sources. */
#include "formats/case.h"

#define N(a) (sizeof(a) / sizeof *(a))

static void downloads(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"raw/gift-cards-2018/Gift_Cards_5.json"},
         "raw/gift-cards-2018/meta_Gift_Cards.json",
         NULL,
         "2972 rows, 458 people, 148 items (148 titled), 2972 interactions"},
        {{"raw/gift-cards-2018/Gift_Cards_5.json.gz"},
         "raw/gift-cards-2018/meta_Gift_Cards.json.gz",
         NULL,
         "2972 rows, 458 people, 148 items (148 titled), 2972 interactions"},
        {{"raw/Musical_instruments_reviews.partial.csv"},
         NULL,
         NULL,
         "5050 rows, 1381 people, 392 items (0 titled), 5050 interactions"},
        {{"raw/Musical_Instruments_5.sample.json"},
         NULL,
         NULL,
         "50 rows, 49 people, 7 items (0 titled), 50 interactions"},
        {{"raw/fine_food_reviews_1k.csv"},
         NULL,
         NULL,
         "1000 rows, 965 people, 207 items (0 titled), 999 interactions; 1 duplicate"},
        {{"raw/ratings_Beauty.partial.csv"},
         NULL,
         NULL,
         "9999 rows, 9697 people, 886 items (0 titled), 9999 interactions"},
        {{"raw/meta_Gift_Cards.sample.json"}, NULL, NULL, "refused: … category, tech1"},
        {{"raw/meta_2014_pythondict.txt"}, NULL, NULL, "refused: … asin"},
    };
    cases_check(cases, N(cases));
}

static void films(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"movielens/ml-100k/u.data"},
         "movielens/ml-100k/u.item",
         NULL,
         "100003 rows, 944 people, 1682 items (1681 titled), 100003 interactions",
         {"0,50,5,881250949,,", "0,172,5,881250949,,", "0,133,1,881250949,,"}},
        {{"movielens/ml-100k/u.data.official"},
         NULL,
         NULL,
         "100000 rows, 943 people, 1682 items (0 titled), 100000 interactions"},
        {{"movielens/ml-100k/u1.base", "movielens/ml-100k/u1.test"},
         NULL,
         NULL,
         "100000 rows, 943 people, 1682 items (0 titled), 100000 interactions"},
        {{"movielens/ml-100k/u1.base"},
         NULL,
         NULL,
         "80000 rows, 943 people, 1650 items (0 titled), 80000 interactions"},
        {{"movielens/ml-100k/u1.test"},
         NULL,
         NULL,
         "20000 rows, 459 people, 1410 items (0 titled), 20000 interactions"},
        {{"movielens/ml-100k/ua.base"},
         NULL,
         NULL,
         "90570 rows, 943 people, 1680 items (0 titled), 90570 interactions"},
        {{"movielens/ml-100k/ua.test"}, NULL, NULL, "9430 rows, 943 people, 1129 items (0 titled), 9430 interactions"},
        {{"movielens/ml-100k/u.user"}, NULL, NULL, "refused: "},
        {{"movielens/ml-100k/u.genre"}, NULL, NULL, "refused: "},
        {{"movielens/ml-100k/u.occupation"}, NULL, NULL, "refused: "},
        {{"movielens/ml-100k/README"}, NULL, NULL, "refused: "},
        {{"movielens/ml-latest-small/ratings.csv"},
         "movielens/ml-latest-small/movies.csv",
         NULL,
         "100004 rows, 671 people, 9066 items (9066 titled), 100004 interactions"},
        {{"movielens/ml-latest-small/links.csv"}, NULL, NULL, "refused: … movieId, imdbId, tmdbId"},
        {{"movielens/ml-latest-small/tags.csv"},
         NULL,
         NULL,
         "refused: … found what people called items, and no interactions"},
        {{"movielens/ml-latest-small/README.txt"}, NULL, NULL, "refused: "},
    };
    cases_check(cases, N(cases));
}

static void sequences(void **state)
{
    (void)state;
    static const format_case cases[] = {
        {{"amazon2014/beauty/sequences.txt"},
         "amazon2014/beauty/items.jsonl",
         NULL,
         "198502 rows, 22363 people, 12101 items (12094 titled), 198502 interactions"},
        {{"amazon2014/sports/sequences.txt"},
         "amazon2014/sports/items.jsonl",
         NULL,
         "296337 rows, 35598 people, 18357 items (0 titled), 296337 interactions"},
        {{"amazon2014/beauty/users.tsv"}, NULL, NULL, "refused: "},
        {{"amazon2014/sports/users.tsv"}, NULL, NULL, "refused: "},
        {{"amazon2014/beauty/items.jsonl"}, NULL, NULL, "refused: … item_id"},
    };
    cases_check(cases, N(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(downloads), cmocka_unit_test(films),
                                       cmocka_unit_test(sequences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
