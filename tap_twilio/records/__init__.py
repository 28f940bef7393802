"""Rows, typed as their schema says and masked as the settings say."""
