// PMRouting
