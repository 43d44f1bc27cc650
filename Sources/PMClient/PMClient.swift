// PMClient
