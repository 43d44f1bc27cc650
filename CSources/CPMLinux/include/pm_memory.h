/* The process's heap. */
#ifndef PM_MEMORY_H
#define PM_MEMORY_H

/* Gives heap pages that are free, below others too, back to the system (malloc_trim(3), glibc >= 2.8). Takes
 * time in proportion to the heap. */
void pm_memory_trim(void);

#endif
