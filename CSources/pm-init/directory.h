/* Listing a directory without allocation (opendir(3) allocates). */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <stdbool.h>

typedef void directory_visitor(void *context, const char *name, bool is_directory);

/* Calls visit for each entry but "." and ".." of the open directory; false when it could not be read to its
 * end. */
bool directory_each(int fd, directory_visitor *visit, void *context);

#endif
