// PMCommandsTests
