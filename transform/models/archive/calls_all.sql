{{ with_archive('calls', 'bulkexports_calls') }}
