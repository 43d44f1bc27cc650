/*
 * The short pass: a target on its corpus and on mutations that are the same in each run.
 *   fuzz-init CORPUS MUTATIONS
 * Prints `ok` lines as the C tests do; an input that fails is shown in hexadecimal.
 */
#define _GNU_SOURCE
#include "rules.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUTS_MAX 256
#define INPUT_SIZE (1u << 18)

typedef struct {
    uint8_t bytes[INPUT_SIZE];
    size_t size;
} input;

static input inputs[INPUTS_MAX], current;
static size_t input_count;
static uint64_t state = 1;

static void show_input(int signal) {
    fprintf(stderr, "input:");
    for (size_t i = 0; i < current.size; i++)
        fprintf(stderr, " %02x", current.bytes[i]);
    fprintf(stderr, "\n");
    _exit(128 + signal);
}

static void read_input(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    require(file != NULL && input_count < INPUTS_MAX, "a corpus can be read");
    input *next = &inputs[input_count++];
    next->size = fread(next->bytes, 1, sizeof next->bytes, file);
    fclose(file);
}

static void read_corpus(const char *folder) {
    struct dirent **names;
    int count = scandir(folder, &names, NULL, alphasort);
    require(count > 2, "there is a corpus");
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.')
            read_input(folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
}

/* SplitMix64. */
static size_t below(size_t limit) {
    state += 0x9E3779B97F4A7C15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (size_t)((z ^ (z >> 31)) % limit);
}

/* Another input's end after what stands before `at`. */
static void splice(size_t at, const input *other) {
    size_t from = below(other->size + 1), count = other->size - from;
    if (count > INPUT_SIZE - at)
        count = INPUT_SIZE - at;
    memcpy(current.bytes + at, other->bytes + from, count);
    current.size = at + count;
}

static void mutate(void) {
    static const uint8_t telling[] = {0, 1, 2, 3, 5, 8, 11, 12, 13, 14, 16, 32, 127, 128, 255};
    size_t at = below(current.size + 1);
    switch (below(5)) {
    case 0: splice(at, &inputs[below(input_count)]); break;
    case 1: current.size = at; break;
    case 2:
        if (at < current.size)
            current.bytes[at] ^= (uint8_t)(1u << below(8));
        break;
    default:
        if (at < current.size)
            current.bytes[at] = telling[below(sizeof telling)];
    }
}

int main(int argc, char **argv) {
    require(argc == 3, "usage: fuzz-init CORPUS MUTATIONS");
    signal(SIGABRT, show_input);
    signal(SIGSEGV, show_input);
    read_corpus(argv[1]);
    for (size_t i = 0; i < input_count; i++) {
        current = inputs[i];
        LLVMFuzzerTestOneInput(current.bytes, current.size);
    }
    printf("ok  fuzz: %s, %zu inputs of the corpus\n", target_name, input_count);
    const long mutations = strtol(argv[2], NULL, 10);
    for (long i = 0; i < mutations; i++) {
        current = inputs[below(input_count)];
        for (size_t changes = 1 + below(4); changes > 0; changes--)
            mutate();
        LLVMFuzzerTestOneInput(current.bytes, current.size);
    }
    printf("ok  fuzz: %s, %ld mutations\n", target_name, mutations);
    return 0;
}
