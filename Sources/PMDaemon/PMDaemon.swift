// PMDaemon
