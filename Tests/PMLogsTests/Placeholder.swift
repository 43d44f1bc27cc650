// PMLogsTests
