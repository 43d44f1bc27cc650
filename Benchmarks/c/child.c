/* child SLOTS INDEX: the trivial service. Says when it was executed, then waits for a signal. */
#include "bench.h"

#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 3)
        return 64;
    size_t index = (size_t)bench_number(argv[2]);
    bench_stamp(bench_slots(argv[1], index + 1), index);
    for (;;)
        pause();
}
