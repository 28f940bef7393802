{{ with_archive('messages', 'bulkexports_messages') }}
