// PMConfigTests
