// PMDaemonTests
